package events

import (
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events/version"
)

// AgentStarted is the first report of every agent process.
type AgentStarted struct {
	ReportHead
	Version version.Binary `json:"version"`
	SHA256  string         `json:"sha256,omitempty"` // of the archive that it was installed from; empty for the copy that came with the launcher
	PID     int            `json:"pid"`
	Restart int            `json:"restart"`         // how often the launcher has started an agent before
	Units   int            `json:"units,omitempty"` // what it knows of units: UnitsWithUsers, or, of an agent of before, nothing of users and secrets
	Order   string         `json:"order,omitempty"` // the order in the machine's journal; empty: it works on none

	// NoReturn is the upgrade step of that order that cannot be undone, if one was taken.
	// Every start tells it again: a process may die after it has written the step to the
	// journal and before it has told it.
	NoReturn string `json:"no_return,omitempty"`
	// Unproven says that this version took a step that cannot be undone in an order that did
	// not end well, and that it never proved itself since.
	Unproven bool `json:"unproven,omitempty"`
}

func (*AgentStarted) Kind() string { return "agent.started/1" }

func (e *AgentStarted) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the version.
func (e *AgentStarted) Validate() error {
	if e.Version.IsZero() {
		return errors.New("no version")
	}
	if e.Order != "" {
		if err := needID("order", e.Order); err != nil {
			return err
		}
	}
	return e.ReportHead.validate()
}

// AgentDownloading tells how far a download is. The first one, at 0 percent, says that the machine
// has accepted the order.
type AgentDownloading struct {
	orderHead
	Percent int `json:"percent"`
}

func (*AgentDownloading) Kind() string { return "agent.downloading/1" }

// Validate asks for 0 to 100 percent.
func (e *AgentDownloading) Validate() error {
	if e.Percent < 0 || e.Percent > 100 {
		return fmt.Errorf("%d percent; must be 0 to 100", e.Percent)
	}
	return e.validate()
}

// AgentStaged says that the new version lies beside the old one, and was verified and self-tested.
type AgentStaged struct {
	orderHead
}

func (*AgentStaged) Kind() string { return "agent.staged/1" }

// Validate checks the heads.
func (e *AgentStaged) Validate() error { return e.validate() }

// AgentRestarting is the last report of the old version before the new one is started.
type AgentRestarting struct {
	orderHead
	From version.Number `json:"from"`
	To   version.Number `json:"to"`
}

func (*AgentRestarting) Kind() string { return "agent.restarting/1" }

// Validate checks the heads.
func (e *AgentRestarting) Validate() error { return e.validate() }

// AgentStepping tells of one upgrade step of the new version. Either the step failed and is tried
// again, or it cannot be undone, so that the machine does not go back by itself any more. Steps that
// succeed are not told.
type AgentStepping struct {
	ReportHead
	Order    string         `json:"order,omitempty"` // empty: the version is not on trial
	Release  version.Number `json:"release"`         // the release that the step belongs to
	Step     string         `json:"step"`            // what the step does, for a person
	NoReturn bool           `json:"no_return,omitempty"`
	Error    string         `json:"error,omitempty"` // why the step failed; it is tried again
}

func (*AgentStepping) Kind() string { return "agent.stepping/1" }

func (e *AgentStepping) Entity() string { return entityMachine(e.Machine) }

// OrderID names the order whose version takes the step.
func (e *AgentStepping) OrderID() string { return e.Order }

// Validate asks for the release and the step.
func (e *AgentStepping) Validate() error {
	if e.Release.IsZero() || e.Step == "" {
		return errors.New("a step without a release or a description")
	}
	if e.Order != "" {
		if err := needID("order", e.Order); err != nil {
			return err
		}
	}
	return errors.Join(e.ReportHead.validate(), needText("step", e.Step, 256), needText("error", e.Error, 4096))
}

// AgentUpgraded is the report that ends an order well: the new version proved itself and is kept.
type AgentUpgraded struct {
	orderHead
	Version version.Binary `json:"version"`
}

func (*AgentUpgraded) Kind() string { return "agent.upgraded/1" }

// Validate asks for the version.
func (e *AgentUpgraded) Validate() error {
	if e.Version.IsZero() {
		return errors.New("no version")
	}
	return e.validate()
}
