package events

import (
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Causes of a failure: whose fault it was. Only a failure with CauseVersion is held against the
// build.
const (
	CauseArtifact    = "artifact"    // the archive was not what was signed
	CauseVersion     = "version"     // the new version itself is bad
	CauseEnvironment = "environment" // disk, network, the host
	CauseOperator    = "operator"    // the order does not fit this machine
)

// StepAfterCommit is the step of a failure of a version that was kept and failed afterwards. The
// order had ended well before that, so the AgentRolledBack is kept as a ReportLate.
const StepAfterCommit = "after-commit"

// Failure says where and why an upgrade of one machine went wrong.
type Failure struct {
	Step   string `json:"step"`  // accept, download, verify, stage, self-test, steps, switch, trial, withdrawn
	Cause  string `json:"cause"` // a Cause… constant
	Code   string `json:"code"`  // stable word, such as "artefact-hash"; see Codes
	Text   string `json:"text"`
	Output string `json:"output,omitempty"` // the last lines of the new version's output, at most 8 KiB

	Denied tools.Tools `json:"denied,omitzero"` // the build that the machine refuses from here on, until machine.resolved
}

func (f *Failure) validate() error {
	switch f.Cause {
	case CauseArtifact, CauseVersion, CauseEnvironment, CauseOperator:
	default:
		return fmt.Errorf("cause %q is not %s, %s, %s or %s", f.Cause, CauseArtifact, CauseVersion, CauseEnvironment, CauseOperator)
	}
	if f.Step == "" || f.Code == "" || f.Text == "" {
		return errors.New("a failure without step, code or text")
	}
	return errors.Join(needText("text", f.Text, 4096), needText("output", f.Output, 8192))
}

// AgentUpgradeFailed is the report that ends an order before the switch: the old version never
// stopped.
type AgentUpgradeFailed struct {
	orderHead
	Failure Failure `json:"failure"`
}

func (*AgentUpgradeFailed) Kind() string { return "agent.upgrade_failed/1" }

// Validate checks the heads and the failure.
func (e *AgentUpgradeFailed) Validate() error {
	return errors.Join(e.validate(), e.Failure.validate())
}

// AgentRolledBack is the report that ends an order after the switch: the new version was tried and
// failed, and the old one runs again.
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
