package agent

import (
	"slices"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// State is what the machine's upgrade is at: the journal, and what this process runs.
type State struct {
	install.Journal
	Machine string // its id
	Running version.Binary
	PID     int            // of this process
	Reached version.Number // whose upgrade steps are all done here
	Begun   version.Number // whose upgrade steps were begun, if that is newer
	Closing *Stepped       // the upgrade step that waits until this version has proved itself, because it cannot be undone
	Held    Input          // the newest word on the order subject, while an order before it is being judged
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
	case Resolved:
		return s.resolved(in)
	case RestartOrdered:
		return s.restartOrdered(in)
	case Downloaded:
		return s.next(in.Order, install.PhaseAccepted, in.Failure, State.downloaded)
	case Staged:
		return s.next(in.Order, install.PhaseAccepted, in.Failure, State.staged)
	case Tested:
		return s.next(in.Order, install.PhaseStaged, in.Failure, State.tested)
	case Switched:
		return s.next(in.Order, install.PhaseTrial, in.Failure, State.switched)
	case Stepped:
		return s.stepped(in)
	case Proved:
		return s.proved(in)
	case Undone:
		return s.undone(in)
	case Committed:
		return s.committed(in)
	}
	return s, nil
}

// Start is a process's first report: what it runs, and what the journal says that the
// centre may not have heard.
func (s State) Start() *events.AgentStarted {
	r := &events.AgentStarted{Version: s.Running, PID: s.PID, Unproven: s.Unproven != "" && s.Good == s.Running.String()}
	if s.Order != nil {
		r.Order, r.NoReturn = s.Order.ID, s.NoReturn
	}
	return r
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
	if s.Order == nil && s.Phase != install.PhaseIdle {
		s.Journal = s.idle() // a journal that names no order has none in work
		effects = append(effects, Save{s.Journal})
	}
	if s.Phase == install.PhaseTrial {
		return s, append(effects, s.onTrial()...)
	}
	var more []Effect
	switch {
	case s.Phase == install.PhaseAccepted:
		more = []Effect{Download{*s.Order}}
	case s.Phase == install.PhaseStaged:
		more = []Effect{Test{*s.Order}}
	case s.Phase == install.PhaseRolledBack && s.ahead():
		more = []Effect{Undo{s.Order.ID, s.Order.Tools.Version, s.Running.Number}}
	default:
		s, more = s.report()
	}
	if s.Reached.Compare(s.Running.Number) < 0 {
		more = append(more, TakeSteps{Freely: true})
	}
	return s, append(effects, more...)
}

// onTrial is what a version does on its trial: its upgrade steps, then its proof. A
// process that is not that version proves nothing; the launcher goes on from there.
func (s State) onTrial() []Effect {
	if s.Running != s.Order.Tools.Version {
		return nil
	}
	return []Effect{TakeSteps{Order: s.Order.ID, Freely: s.NoReturn != ""}}
}

// ahead says whether the host was brought further than the version that runs.
func (s State) ahead() bool {
	return s.Running.Number.Compare(s.Reached) < 0 || s.Running.Number.Compare(s.Begun) < 0
}

// stepped goes on when the steps are done, or when the next one closes the way back: that
// one waits until the version has proved itself as far as it is.
func (s State) stepped(in Stepped) (State, []Effect) {
	if in.Order != "" && !s.tries(in.Order) {
		return s, nil
	}
	if in.Closes == "" {
		s.Reached, s.Begun = s.Running.Number, version.Number{}
	} else if in.Order != "" {
		s.Closing = &in
	}
	if in.Order == "" {
		return s, nil
	}
	return s, []Effect{Prove{*s.Order}}
}

// tries says whether this process is the version on trial for that order.
func (s State) tries(order string) bool {
	return s.Phase == install.PhaseTrial && s.Order != nil && s.Order.ID == order && s.Running == s.Order.Tools.Version
}

// proved tells the launcher, or closes the way back for the steps that are left: that is
// written down before they are taken.
func (s State) proved(in Proved) (State, []Effect) {
	if !s.tries(in.Order) {
		return s, nil
	}
	if s.Closing == nil {
		return s, []Effect{Vouch(in)}
	}
	told := &events.AgentStepping{Order: in.Order, Release: s.Closing.Release, Step: s.Closing.Closes, NoReturn: true}
	s.NoReturn, s.Closing = s.Closing.Closes, nil
	return s, []Effect{Save{s.Journal}, Tell{told}, TakeSteps{Order: in.Order, Freely: true}}
}

// undone goes on where Undo stood: after a roll-back, or before the switch to an older
// version.
func (s State) undone(in Undone) (State, []Effect) {
	if s.Order == nil || s.Order.ID != in.Order {
		return s, nil
	}
	if in.Failure == nil {
		s.Reached, s.Begun = in.To, version.Number{}
	}
	switch {
	case s.Phase == install.PhaseRolledBack:
		if in.Failure != nil {
			f := s.failure()
			f.Text += "; its upgrade steps were not undone: " + in.Failure.Text
			s.Failure = &f
		}
		return s.report()
	case s.Phase == install.PhaseStaged && in.Failure != nil:
		return s.fail(*in.Failure)
	case s.Phase == install.PhaseStaged:
		return s.beginTrial()
	}
	return s, nil
}

// committed takes over what the launcher wrote. When an order came in meanwhile, which
// happens only past the point of no return, that one stays in work.
func (s State) committed(in Committed) (State, []Effect) {
	if in.Journal.Phase != install.PhaseCommitted || in.Journal.Order == nil {
		return s, nil
	}
	if s.Phase != install.PhaseTrial || s.Order == nil || s.Order.ID != in.Journal.Order.ID {
		return s, []Effect{Save{s.Journal}}
	}
	s.Journal = in.Journal
	return s.report()
}

// report ends an order that the launcher has judged, or that came to nothing before, and looks at what came meanwhile.
func (s State) report() (State, []Effect) {
	if s.Order == nil {
		return s, nil
	}
	var told events.Report
	switch s.Phase {
	case install.PhaseCommitted:
		s.Used = used(s.Used, s.Order.Upgrade, s.Order.Until)
		r := &events.AgentUpgraded{Version: s.Running}
		r.Order = s.Order.ID
		told = r
	case install.PhaseFailed:
		r := &events.AgentUpgradeFailed{Failure: s.failure()}
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
	held := s.Held
	s.Held = nil
	effects := []Effect{Tell{told}, Save{s.Journal}, Collect{s.inUse()}}
	if held == nil {
		return s, effects
	}
	s, more := Step(s, held)
	return s, append(effects, more...)
}

// failure is what a roll-back is reported with. A build that is refused from now on is
// named in it.
func (s State) failure() events.Failure {
	f := events.Failure{Step: "trial", Cause: events.CauseVersion, Code: events.CodeUnknown, Text: "the launcher went back and left no reason"}
	if s.Failure != nil {
		f = *s.Failure
	}
	if _, denied := s.Denied[s.Order.Tools.SHA256]; denied && f.Code != codeFailedBefore {
		f.Denied = s.Order.Tools
	}
	return f
}

func (s State) idle() install.Journal {
	j := s.Journal
	if j.NoReturn != "" {
		j.Good, j.Unproven = s.Running.String(), j.NoReturn // nothing before it can come back
	}
	j.Phase, j.Order, j.Trial, j.Failure, j.NoReturn = install.PhaseIdle, nil, nil, nil, ""
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

// resolved forgets which versions failed here.
func (s State) resolved(in Resolved) (State, []Effect) {
	if in.Seq <= s.Seq {
		return s, nil
	}
	if s.busy() {
		s.Held = in
		return s, nil
	}
	s.Seq = in.Seq
	if in.Unlawful != nil {
		return s, []Effect{Save{s.Journal}, Tell{refusedOrder((*events.MachineResolved)(nil), "", in.Unlawful)}}
	}
	s.Denied = nil
	if s.Phase == install.PhaseTrial {
		return s, []Effect{Save{s.Journal}}
	}
	return s.dropped()
}

// restartOrdered ends this process for the next one. An order that was in work before it
// has ended in the log: nobody is asked to restart beside an open order.
func (s State) restartOrdered(in RestartOrdered) (State, []Effect) {
	if in.Seq <= s.Seq {
		return s, nil
	}
	if s.busy() {
		s.Held = in
		return s, nil
	}
	if in.Unlawful != nil {
		s.Seq = in.Seq
		r := &events.AgentUpgradeFailed{Failure: *in.Unlawful}
		r.Order = in.Order
		return s, []Effect{Tell{r}, Save{s.Journal}}
	}
	if _, done := s.Used[in.Request]; done { // another order for what was asked once
		s.Seq = in.Seq
		r := &events.RestartDone{PID: s.PID}
		r.Order = in.Order
		return s, []Effect{Tell{r}, Save{s.Journal}}
	}
	var dropped []Effect
	if s.Phase != install.PhaseTrial {
		dropped = s.working()
		s.Journal = s.idle()
	}
	s.Seq, s.Restart = in.Seq, in.Order
	s.Used = used(s.Used, in.Request, in.Until)
	leaving := &events.AgentRestarting{From: s.Running.Number, To: s.Running.Number}
	leaving.Order = in.Order
	return s, append(dropped, Save{s.Journal}, Tell{leaving}, Restart{})
}
