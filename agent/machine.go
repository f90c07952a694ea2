package agent

import (
	"fmt"
	"slices"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// State is what the machine's upgrade is at: the journal, and what this process runs.
type State struct {
	install.Journal
	Running version.Binary
	PID     int // of this process
}

// Step is the whole behaviour of a machine in an upgrade: a pure function. Whatever is
// not for the present state changes nothing.
func Step(s State, in Input) (State, []Effect) {
	switch in := in.(type) {
	case Started:
		return s.started()
	case Ordered:
		return s.ordered(in)
	case Withdrawn:
		return s.withdrawn(in)
	case RestartOrdered:
		return s.restartOrdered(in)
	case Downloaded:
		return s.next(in.Order, install.PhaseAccepted, in.Failure, State.downloaded)
	case Staged:
		return s.next(in.Order, install.PhaseAccepted, in.Failure, State.staged)
	case Tested:
		return s.next(in.Order, install.PhaseStaged, in.Failure, State.tested)
	case Switched:
		return s.switched(in)
	case Committed:
		s.Journal = in.Journal
		return s.report()
	}
	return s, nil
}

// next goes on with the order in work, or ends it when the last step failed.
func (s State) next(order, phase string, failure *events.Failure, then func(State) (State, []Effect)) (State, []Effect) {
	if s.Phase != phase || s.Order == nil || s.Order.ID != order {
		return s, nil
	}
	if failure != nil {
		return s.fail(*failure)
	}
	return then(s)
}

// started goes on from whatever the journal says.
func (s State) started() (State, []Effect) {
	var effects []Effect
	if s.Restart != "" {
		done := &events.RestartDone{PID: s.PID}
		done.Order = s.Restart
		s.Restart = ""
		effects = append(effects, Tell{done}, Save{s.Journal})
	}
	switch s.Phase {
	case install.PhaseAccepted:
		return s, append(effects, Download{*s.Order})
	case install.PhaseStaged:
		return s, append(effects, Test{*s.Order})
	case install.PhaseTrial:
		return s, append(effects, Prove{*s.Order})
	case install.PhaseCommitted, install.PhaseRolledBack:
		s, more := s.report()
		return s, append(effects, more...)
	}
	return s, effects
}

// report ends an order that the launcher has judged.
func (s State) report() (State, []Effect) {
	if s.Order == nil {
		return s, nil
	}
	var told events.Report
	switch s.Phase {
	case install.PhaseCommitted:
		r := &events.AgentUpgraded{Version: s.Running}
		r.Order = s.Order.ID
		told = r
	case install.PhaseRolledBack:
		r := &events.AgentRolledBack{Version: s.Running, Failure: s.failure()}
		r.Order = s.Order.ID
		told = r
	default:
		return s, nil
	}
	s.Journal = s.idle()
	return s, []Effect{Tell{told}, Save{s.Journal}, Collect{s.inUse()}}
}

func (s State) failure() events.Failure {
	if s.Failure != nil {
		return *s.Failure
	}
	return events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "unknown", Text: "the launcher went back and left no reason"}
}

func (s State) idle() install.Journal {
	j := s.Journal
	j.Phase, j.Order, j.Trial, j.Failure = install.PhaseIdle, nil, nil, nil
	return j
}

// inUse are the versions that must not be removed or overwritten.
func (s State) inUse() []string {
	names := []string{s.Running.String(), s.Good, s.Last}
	if s.Order != nil {
		names = append(names, s.Order.Tools.Version.String())
	}
	slices.Sort(names)
	return slices.Compact(slices.DeleteFunc(names, func(n string) bool { return n == "" }))
}

// ordered takes an order that is newer than all before it, unless a trial runs: then
// the next process looks at it again.
func (s State) ordered(in Ordered) (State, []Effect) {
	if in.Seq <= s.Seq || s.busy() {
		return s, nil
	}
	s.Seq = in.Seq
	s.Journal = s.idle()
	s.Order = &install.Order{
		ID: in.Order.Order, Upgrade: in.Order.Upgrade, From: in.Order.From, Tools: in.Order.Tools,
		Window: time.Duration(in.Order.Health) * time.Millisecond,
	}
	if in.Order.Tools.Version == s.Running {
		r := &events.AgentUpgraded{Version: s.Running}
		r.Order = s.Order.ID
		s.Journal = s.idle()
		return s, []Effect{Tell{r}, Save{s.Journal}}
	}
	if f := s.refuse(in); f != nil {
		return s.fail(*f)
	}
	s.Phase = install.PhaseAccepted
	accepted := &events.AgentDownloading{}
	accepted.Order = s.Order.ID
	return s, []Effect{Save{s.Journal}, Tell{accepted}, Download{*s.Order}}
}

// busy says that the launcher, or the report to the centre, has the order now.
func (s State) busy() bool {
	return s.Phase == install.PhaseTrial || s.Phase == install.PhaseCommitted || s.Phase == install.PhaseRolledBack
}

// refuse says why an order does not fit this machine.
func (s State) refuse(in Ordered) *events.Failure {
	o := in.Order
	no := func(cause, code, format string, args ...any) *events.Failure {
		return &events.Failure{Step: "accept", Cause: cause, Code: code, Text: fmt.Sprintf(format, args...)}
	}
	switch why, denied := s.Denied[o.Tools.SHA256]; {
	case in.Now.After(o.Expires):
		return no(events.CauseOperator, "expired", "the order expired at %s", o.Expires.UTC().Format(time.RFC3339))
	case o.From != s.Running.Number:
		return no(events.CauseOperator, "wrong-version", "the order starts from %s, this machine runs %s", o.From, s.Running.Number)
	case o.Tools.Version.Platform() != s.Running.Platform():
		return no(events.CauseOperator, "wrong-platform", "the tools are for %s, this machine is %s", o.Tools.Version.Platform(), s.Running.Platform())
	case denied:
		return no(events.CauseVersion, "failed-before", "this very build failed here before: %s", why)
	}
	return nil
}

// fail ends the order in work before the switch. A build that failed by its own fault is
// not tried again on this machine.
func (s State) fail(f events.Failure) (State, []Effect) {
	r := &events.AgentUpgradeFailed{Failure: f}
	r.Order = s.Order.ID
	if f.Cause == events.CauseVersion {
		s.Denied = with(s.Denied, s.Order.Tools.SHA256, f.Text)
	}
	s.Journal = s.idle()
	return s, []Effect{Tell{r}, Save{s.Journal}, Collect{s.inUse()}}
}

// with copies m: a State is a value, and so is what it holds.
func with(m map[string]string, key, value string) map[string]string {
	c := map[string]string{key: value}
	for k, v := range m {
		if k != key {
			c[k] = v
		}
	}
	return c
}

// withdrawn drops an order that was not switched to yet. Its end is in the log already.
func (s State) withdrawn(in Withdrawn) (State, []Effect) {
	if in.Seq <= s.Seq || s.busy() {
		return s, nil
	}
	s.Seq = in.Seq
	s.Journal = s.idle()
	return s, []Effect{Save{s.Journal}, Collect{s.inUse()}}
}

func (s State) restartOrdered(in RestartOrdered) (State, []Effect) {
	if in.Seq <= s.Seq || s.Phase != install.PhaseIdle {
		return s, nil
	}
	s.Seq, s.Restart = in.Seq, in.Order
	return s, []Effect{Save{s.Journal}, Restart{}}
}

func (s State) downloaded() (State, []Effect) {
	return s, []Effect{Stage{*s.Order, s.inUseNow()}}
}

// inUseNow are the versions that staging must not touch: not the one that it makes.
func (s State) inUseNow() []string {
	order := s.Order
	s.Order = nil
	names := s.inUse()
	s.Order = order
	return names
}

func (s State) staged() (State, []Effect) {
	s.Phase = install.PhaseStaged
	return s, []Effect{Save{s.Journal}, Test{*s.Order}}
}

// tested begins the trial: journal first, then the link.
func (s State) tested() (State, []Effect) {
	ready := &events.AgentStaged{}
	leaving := &events.AgentRestarting{From: s.Running.Number, To: s.Order.Tools.Version.Number}
	ready.Order, leaving.Order = s.Order.ID, s.Order.ID
	if s.Good == "" {
		s.Good = s.Running.String()
	}
	s.Phase, s.Trial = install.PhaseTrial, &install.Trial{}
	return s, []Effect{Tell{ready}, Tell{leaving}, Save{s.Journal}, Switch{*s.Order}}
}

// switched hands over to the launcher. A link that could not be changed ends the order;
// the old version never stopped.
func (s State) switched(in Switched) (State, []Effect) {
	if s.Phase != install.PhaseTrial || s.Order == nil || s.Order.ID != in.Order {
		return s, nil
	}
	if in.Failure != nil {
		return s.fail(*in.Failure)
	}
	return s, []Effect{Restart{}}
}
