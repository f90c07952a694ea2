package events

import (
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// ReportHead stands in every fact that an agent tells. An agent numbers its reports
// from 1 without gaps within an epoch and sends them in order until each is
// acknowledged; the fold drops what it has seen.
type ReportHead struct {
	Machine string `json:"machine"`
	Epoch   string `json:"epoch"` // new whenever the agent's outbox is made anew
	N       uint64 `json:"n"`     // from 1
}

// Head gives the report's head; every report has it by embedding.
func (h *ReportHead) Head() ReportHead { return *h }

// SetHead is for the agent's outbox, which numbers reports as it takes them.
func (h *ReportHead) SetHead(head ReportHead) { *h = head }

func (h *ReportHead) validate() error {
	if h.N == 0 {
		return errors.New("report number 0")
	}
	return errors.Join(needMachine(h.Machine), needID("epoch", h.Epoch))
}

// Report is a payload that an agent tells.
type Report interface {
	Payload
	Head() ReportHead
	SetHead(ReportHead)
}

// OrderReport is a report on the progress of an order.
type OrderReport interface {
	Report
	OrderID() string
}

// orderHead is the part that reports on an order share.
type orderHead struct {
	ReportHead
	Order string `json:"order"`
}

// OrderID names the order that the report is about.
func (h *orderHead) OrderID() string { return h.Order }
func (h *orderHead) Entity() string  { return entityMachine(h.Machine) }
func (h *orderHead) validate() error {
	return errors.Join(h.ReportHead.validate(), needID("order", h.Order))
}

// AgentStarted is the first report of every agent process.
type AgentStarted struct {
	ReportHead
	Version version.Binary `json:"version"`
	SHA256  string         `json:"sha256,omitempty"` // of the tools archive it was installed from; empty for the installed copy
	PID     int            `json:"pid"`
	Restart int            `json:"restart"`         // starts since the launcher began
	Order   string         `json:"order,omitempty"` // the upgrade order in its journal, if it is at one

	// NoReturn is the step of that order that cannot be undone, once the journal names it:
	// said at every start, because a process may die between noting and telling it.
	NoReturn string `json:"no_return,omitempty"`
	// Unproven: the version took such a step in an order that ended otherwise, and has
	// never proved itself.
	Unproven bool `json:"unproven,omitempty"`
}

func (*AgentStarted) Kind() string     { return "agent.started/1" }
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

// AgentDownloading tells how far a download is. The first, at 0, means "accepted".
type AgentDownloading struct {
	orderHead
	Percent int `json:"percent"`
}

func (*AgentDownloading) Kind() string { return "agent.downloading/1" }

// Validate asks for 0 to 100 percent.
func (e *AgentDownloading) Validate() error {
	if e.Percent < 0 || e.Percent > 100 {
		return fmt.Errorf("%d percent", e.Percent)
	}
	return e.validate()
}

// AgentStaged says that the new version lies verified and self-tested beside the old.
type AgentStaged struct {
	orderHead
}

func (*AgentStaged) Kind() string { return "agent.staged/1" }

// Validate checks the heads.
func (e *AgentStaged) Validate() error { return e.validate() }

// AgentRestarting is the last report of the old version before it gives way.
type AgentRestarting struct {
	orderHead
	From version.Number `json:"from"`
	To   version.Number `json:"to"`
}

func (*AgentRestarting) Kind() string { return "agent.restarting/1" }

// Validate checks the heads.
func (e *AgentRestarting) Validate() error { return e.validate() }

// AgentStepping tells of one upgrade step of the new version: that it failed and is tried
// again, or that it cannot be undone, so that the machine does not go back by itself any
// more. Steps that go well say nothing.
type AgentStepping struct {
	ReportHead
	Order    string         `json:"order,omitempty"` // empty: the version is not on trial
	Release  version.Number `json:"release"`         // whose step it is
	Step     string         `json:"step"`            // what it does, for a person
	NoReturn bool           `json:"no_return,omitempty"`
	Error    string         `json:"error,omitempty"` // why it failed; it is tried again
}

func (*AgentStepping) Kind() string     { return "agent.stepping/1" }
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

// AgentUpgraded ends an order well: the new version proved itself and was kept.
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

// Causes of a failure: whose fault it was, so that only a version's own faults are
// held against it.
const (
	CauseArtifact    = "artifact"    // the archive was not what was signed
	CauseVersion     = "version"     // the new version itself is bad
	CauseEnvironment = "environment" // disk, network, the host
	CauseOperator    = "operator"    // the order does not fit this machine
)

// StepAfterCommit is the step of a version that was kept and then did not live. Its
// order has ended well before; its agent.rolled_back is kept as report.late.
const StepAfterCommit = "after-commit"

// Failure says where and why an upgrade of one machine went wrong.
type Failure struct {
	Step   string `json:"step"`  // accept, download, verify, stage, self-test, steps, switch, trial, withdrawn
	Cause  string `json:"cause"` // a Cause… constant
	Code   string `json:"code"`  // stable word, such as "artefact-hash"
	Text   string `json:"text"`
	Output string `json:"output,omitempty"` // last lines of the new binary, at most 8 KiB

	Denied tools.Tools `json:"denied,omitzero"` // the build that the machine refuses from here on, until machine.resolved
}

func (f *Failure) validate() error {
	switch f.Cause {
	case CauseArtifact, CauseVersion, CauseEnvironment, CauseOperator:
	default:
		return fmt.Errorf("cause %q", f.Cause)
	}
	if f.Step == "" || f.Code == "" || f.Text == "" {
		return errors.New("a failure without step, code or text")
	}
	return errors.Join(needText("text", f.Text, 4096), needText("output", f.Output, 8192))
}

// AgentUpgradeFailed ends an order before the switch: the old version never stopped.
type AgentUpgradeFailed struct {
	orderHead
	Failure Failure `json:"failure"`
}

func (*AgentUpgradeFailed) Kind() string { return "agent.upgrade_failed/1" }

// Validate checks the heads and the failure.
func (e *AgentUpgradeFailed) Validate() error {
	return errors.Join(e.validate(), e.Failure.validate())
}

// AgentRolledBack ends an order after the switch: the new version was tried, failed,
// and the old one runs again.
type AgentRolledBack struct {
	orderHead
	Version version.Binary `json:"version"` // what runs now
	Failure Failure        `json:"failure"`
}

func (*AgentRolledBack) Kind() string { return "agent.rolled_back/1" }

// Validate checks the heads and the failure.
func (e *AgentRolledBack) Validate() error {
	if e.Version.IsZero() {
		return errors.New("no version")
	}
	return errors.Join(e.validate(), e.Failure.validate())
}

// RestartDone ends a restart order: a new agent process runs.
type RestartDone struct {
	orderHead
	PID int `json:"pid"`
}

func (*RestartDone) Kind() string { return "restart.done/1" }

// Validate checks the heads.
func (e *RestartDone) Validate() error { return e.validate() }

// ReportLate keeps a terminal report whose order already had its one terminal record
// (timed out, superseded): nothing an agent says is lost, and no order ends twice.
type ReportLate struct {
	ReportHead
	Order  string `json:"order"`
	Report string `json:"report"` // its kind
	Data   []byte `json:"data"`   // its payload, byte for byte

	Key       string `json:"key,omitempty"` // who signed it, as in its envelope
	Signature string `json:"signature,omitempty"`
}

// Original is the report as its machine signed it.
func (e *ReportLate) Original() Record {
	return Record{Envelope: Envelope{Key: e.Key, Signature: e.Signature}, Kind: e.Report, Entity: e.Entity(), Data: e.Data}
}

func (*ReportLate) Kind() string     { return "report.late/1" }
func (e *ReportLate) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the order and the original kind.
func (e *ReportLate) Validate() error {
	if e.Report == "" {
		return errors.New("no kind of the original report")
	}
	return errors.Join(needID("order", e.Order), e.ReportHead.validate())
}
