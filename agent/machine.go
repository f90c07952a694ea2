package agent

import (
	"slices"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// State is how far the machine is in an upgrade. The journal is what is on the disk, or will
// be before the next effect that it speaks of; everything else is lost with the process.
type State struct {
	install.Journal
	Machine string         // the machine's id
	Running version.Binary // the version of this process
	PID     int            // of this process
	Reached version.Number // the version whose upgrade steps are all done on this host
	Begun   version.Number // the version whose upgrade steps were begun, if it is newer than Reached
	// Closing is an upgrade step that cannot be undone. It waits until this version has
	// proved itself without that step.
	Closing *Stepped
	// Held is the newest record on the order subject, if it came while the launcher was
	// judging the order before it. It is looked at when that order has ended.
	Held Input
}

// Step is the whole behaviour of a machine in an upgrade, as a pure function. It returns the
// next state, and what is to be done, in that order. An input that does not fit the present
// state (it is old, of another order, or of another phase) changes nothing.
//
// Three invariants hold, and are tested for every state with every input: an order that was
// accepted ends in exactly one report; the journal is saved before anything happens that it
// speaks of; and the journal's Good, the version to go back to, is never forgotten.
//
// The files of testdata tell what Step does, as stories.
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
	case WentBack:
		return s.wentBack(in)
	case Judged:
		return s.judged(in)
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

// Start is the first report of a process: what it runs, and what the journal says. The state
// server may not have heard the latter, if the process before died between the journal and
// the report.
func (s State) Start() *events.AgentStarted {
	r := &events.AgentStarted{Version: s.Running, PID: s.PID, Unproven: s.Unproven != "" && s.Good == s.Running.String()}
	if s.Order != nil {
		r.Order, r.NoReturn = s.Order.ID, s.NoReturn
	}
	return r
}

// next is for the end of an effect. It goes on with the order in work, or ends that order if
// the effect failed. The end of an effect of another order, or of another phase, is ignored.
func (s State) next(order, phase string, failure *events.Failure, then func(State) (State, []Effect)) (State, []Effect) {
	if s.Phase != phase || s.Order == nil || s.Order.ID != order {
		return s, nil
	}
	if failure != nil {
		return s.fail(*failure)
	}
	return then(s)
}

// started is for the start of a process: it goes on from whatever the journal says.
func (s State) started() (State, []Effect) {
	var effects []Effect
	if s.Restart != "" {
		done := &events.RestartDone{PID: s.PID}
		done.Order = s.Restart
		s.Restart = ""
		effects = append(effects, Tell{done}, Save{s.Journal})
	}
	if s.Order == nil && s.Phase != install.PhaseIdle {
		s.Journal = s.idle() // a phase without an order means nothing: there is nothing to go on with
		effects = append(effects, Save{s.Journal})
	}
	if s.Phase == install.PhaseTrial {
		return s, append(effects, s.onTrial()...)
	}
	var more []Effect
	switch {
	case s.Phase == install.PhaseAccepted:
		more = []Effect{Judge{*s.Order, BeforeDownload}}
	case s.Phase == install.PhaseStaged:
		more = []Effect{Judge{*s.Order, BeforeTest}}
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

// onTrial is what a version does on its trial: first its upgrade steps, then its proof. If
// this process is not the version on trial, it does nothing: the launcher brings the link and
// the journal together at the next start.
func (s State) onTrial() []Effect {
	if s.Running != s.Order.Tools.Version {
		return nil
	}
	return []Effect{TakeSteps{Order: s.Order.ID, Freely: s.NoReturn != ""}}
}

// ahead says whether upgrade steps of a newer version than the one that runs were taken here.
func (s State) ahead() bool {
	return s.Running.Number.Compare(s.Reached) < 0 || s.Running.Number.Compare(s.Begun) < 0
}

// stepped is for the end of the upgrade steps: all are done, or the next one cannot be
// undone. That one waits until the version has proved itself without it.
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

// proved is for a version that has shown that it is healthy. The launcher is told, unless
// steps are left that cannot be undone: those are taken now, and the version proves itself
// once more. The journal says that there is no way back before the first of them is taken:
// otherwise a launcher could go back, after a crash, to a version that cannot read what the
// step made.
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

// undone is for the end of Undo, which is done after a roll-back, and before the switch to an
// older version.
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

// committed takes over the journal that the launcher wrote. If another order was accepted
// meanwhile, which is possible only past the point of no return, that order stays in work,
// and its journal replaces the launcher's.
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

// report ends an order: one that the launcher has judged, or one that failed before the
// switch. Then it looks at what was ordered meanwhile.
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

// failure is why the order failed. If this machine refuses the build from now on, the failure
// names the build, so that the state server knows it.
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

// idle is the journal without an order. If the version on trial took a step that cannot be
// undone, it becomes Good although it did not prove itself, and Unproven says so.
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

// wentBack is for a record of a log that lost its end, or is another one: it is refused by name. An
// order that it gives ends with that, unless this machine works on one of the same name: that one
// tells its end itself.
func (s State) wentBack(in WentBack) (State, []Effect) {
	told := []Effect{Tell{&events.OrderRefused{Record: in.Record, Order: in.Order, Code: in.Failure.Code, Text: in.Failure.Text}}}
	if in.Order == "" || s.Order != nil && s.Order.ID == in.Order || s.Restart == in.Order {
		return s, told
	}
	r := &events.AgentUpgradeFailed{Failure: in.Failure}
	r.Order = in.Order
	return s, append(told, Tell{r})
}

// resolved forgets which builds failed here, so that the next order may try them again.
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
