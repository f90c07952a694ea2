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
	f := events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "unknown", Text: "the launcher went back and left no reason"}
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

// ordered takes an order that is newer than all before it. While one is being judged it
// is held.
func (s State) ordered(in Ordered) (State, []Effect) {
	if in.Seq <= s.Seq {
		return s, nil
	}
	if s.busy() || s.Phase == install.PhaseTrial && in.Order.Tools.Version == s.Running {
		s.Held = in
		return s, nil
	}
	s.Seq = in.Seq
	if in.Order.Resolved {
		s.Denied = nil
	}
	working := s.working()
	order := &install.Order{
		ID: in.Order.Order, Upgrade: in.Order.Upgrade, From: in.Order.From, Tools: in.Order.Tools,
		Window: time.Duration(in.Order.Health) * time.Millisecond, Rate: in.Order.Rate,
	}
	f := s.refuse(in)
	if f != nil && s.Phase == install.PhaseTrial { // past the point of no return the trial goes on
		r := &events.AgentUpgradeFailed{Failure: *f}
		r.Order = order.ID
		return s, []Effect{Tell{r}, Save{s.Journal}}
	}
	s.Journal = s.idle()
	s.Order = order
	if in.Order.Tools.Version == s.Running && s.Unproven != "" && f == nil {
		return s.proveInPlace(working)
	}
	if in.Order.Tools.Version == s.Running && (f == nil || f.Code == codeWrongVersion) {
		r := &events.AgentUpgraded{Version: s.Running}
		r.Order = s.Order.ID
		s.Journal = s.idle()
		return s, append(working, Tell{r}, Save{s.Journal})
	}
	if f != nil {
		s, effects := s.fail(*f)
		return s, append(working, effects...)
	}
	s.Phase = install.PhaseAccepted
	accepted := &events.AgentDownloading{}
	accepted.Order = s.Order.ID
	return s, append(working, Save{s.Journal}, Tell{accepted}, Download{*s.Order})
}

// proveInPlace puts the version that runs on trial: it never proved itself, and nothing
// before it can come back.
func (s State) proveInPlace(working []Effect) (State, []Effect) {
	s.Phase, s.Trial, s.NoReturn = install.PhaseTrial, &install.Trial{}, s.Unproven
	accepted := &events.AgentDownloading{Percent: 100}
	accepted.Order = s.Order.ID
	return s, append(working, Save{s.Journal}, Tell{accepted}, Restart{})
}

// working is what ends the work on an order that is not wanted any more. The centre waits
// to hear that: until then it does not know what this machine will run.
func (s State) working() []Effect {
	if s.Order == nil {
		return nil
	}
	r := &events.AgentUpgradeFailed{Failure: events.Failure{
		Step: "withdrawn", Cause: events.CauseOperator, Code: "withdrawn", Text: "the order was withdrawn before the switch",
	}}
	r.Order = s.Order.ID
	if s.Phase == install.PhaseTrial {
		r.Failure.Text = "another order came to the rescue, past the point of no return"
	}
	return []Effect{Drop{}, Tell{r}}
}

// busy says that the launcher, or the report to the centre, has the order now. Past the
// point of no return another order may come to the rescue.
func (s State) busy() bool {
	return s.Phase == install.PhaseTrial && s.NoReturn == "" || s.Phase == install.PhaseCommitted ||
		s.Phase == install.PhaseRolledBack || s.Phase == install.PhaseFailed
}

// Codes of refusals that something hangs on.
const (
	codeWrongVersion = "wrong-version" // the order does not start from what runs
	codeFailedBefore = "failed-before" // why the build is refused was told when it failed
)

// refuse says why an order does not fit this machine.
func (s State) refuse(in Ordered) *events.Failure {
	o := in.Order
	no := func(cause, code, format string, args ...any) *events.Failure {
		return &events.Failure{Step: "accept", Cause: cause, Code: code, Text: fmt.Sprintf(format, args...)}
	}
	switch why, denied := s.Denied[o.Tools.SHA256]; {
	case o.Machine != s.Machine:
		return no(events.CauseOperator, "wrong-machine", "the order is for machine %s, this is machine %s", o.Machine, s.Machine)
	case in.Now.After(o.Expires):
		return no(events.CauseOperator, "expired", "the order expired at %s; the clock here says %s",
			o.Expires.UTC().Format(time.RFC3339), in.Now.UTC().Format(time.RFC3339))
	case o.From != s.Running.Number:
		return no(events.CauseOperator, codeWrongVersion, "the order starts from %s, this machine runs %s", o.From, s.Running.Number)
	case o.Tools.Version.Platform() != s.Running.Platform():
		return no(events.CauseOperator, "wrong-platform", "the tools are for %s, this machine is %s", o.Tools.Version.Platform(), s.Running.Platform())
	case denied:
		return no(events.CauseVersion, codeFailedBefore, "this very build failed here before (juju resolved %s lets it try again): %s", s.Machine, why)
	}
	return nil
}

// fail ends the order in work before the switch. A build that failed by its own fault is
// not tried again on this machine.
func (s State) fail(f events.Failure) (State, []Effect) {
	_, denied := s.Denied[s.Order.Tools.SHA256]
	if f.Cause == events.CauseVersion && !denied {
		s.Denied = with(s.Denied, s.Order.Tools.SHA256, f.Text)
	}
	s.Phase, s.Trial, s.Failure = install.PhaseFailed, nil, &f
	noted := Save{s.Journal} // else a process that ends here takes up again what it said had failed
	s, effects := s.report()
	return s, append([]Effect{noted}, effects...)
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
	if in.Seq <= s.Seq || s.Phase == install.PhaseTrial && s.NoReturn != "" {
		return s, nil
	}
	if s.busy() {
		s.Held = in
		return s, nil
	}
	s.Seq = in.Seq
	return s.dropped()
}

// dropped is the state without its order, which is not on trial.
func (s State) dropped() (State, []Effect) {
	working := s.working()
	s.Journal = s.idle()
	return s, append(working, Save{s.Journal}, Collect{s.inUse()})
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
	s.Seq, s.Denied = in.Seq, nil
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
	var dropped []Effect
	if s.Phase != install.PhaseTrial {
		dropped = s.working()
		s.Journal = s.idle()
	}
	s.Seq, s.Restart = in.Seq, in.Order
	leaving := &events.AgentRestarting{From: s.Running.Number, To: s.Running.Number}
	leaving.Order = in.Order
	return s, append(dropped, Save{s.Journal}, Tell{leaving}, Restart{})
}

func (s State) downloaded() (State, []Effect) {
	return s, []Effect{Stage{*s.Order, s.inUseNow()}}
}

// inUseNow are the versions that staging must not touch: not the one that it makes.
func (s State) inUseNow() []string {
	s.Order = nil
	return s.inUse()
}

func (s State) staged() (State, []Effect) {
	s.Phase = install.PhaseStaged
	return s, []Effect{Save{s.Journal}, Test{*s.Order}}
}

// tested undoes, on the way to an older version, what only the newer one understands.
func (s State) tested() (State, []Effect) {
	if to := s.Order.Tools.Version.Number; to.Compare(s.Running.Number) < 0 && to.Compare(s.Reached) < 0 {
		return s, []Effect{Undo{s.Order.ID, s.Running, to}}
	}
	return s.beginTrial()
}

// beginTrial writes the journal first, then the link.
func (s State) beginTrial() (State, []Effect) {
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
func (s State) switched() (State, []Effect) { return s, []Effect{Restart{}} }
