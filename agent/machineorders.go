package agent

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

// ordered is for an order. One that is not newer than all before it is ignored: the newest
// record is read again at every connection. While the launcher judges an order, a newer one
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
		Until: in.Until,
	}
	f := s.refuse(in)
	if f != nil && s.Phase == install.PhaseTrial { // past the point of no return the trial goes on
		r := &events.AgentUpgradeFailed{Failure: *f}
		r.Order = order.ID
		return s, []Effect{Tell{r}, Save{s.Journal}}
	}
	s.Journal = s.idle()
	s.Order = order
	there := in.Order.Tools.Version == s.Running && (f == nil || f.Code == codeWrongVersion)
	if there && s.Unproven != "" {
		return s.proveInPlace(working)
	}
	if there {
		r := &events.AgentUpgraded{Version: s.Running}
		r.Order = s.Order.ID
		s.Used = used(s.Used, s.Order.Upgrade, s.Order.Until)
		s.Journal = s.idle()
		return s, append(working, Tell{r}, Save{s.Journal})
	}
	if f != nil {
		s, effects := s.fail(*f)
		return s, append(working, effects...)
	}
	s.Phase, order.Warrant = install.PhaseAccepted, in.Order.Warrant
	accepted := &events.AgentDownloading{}
	accepted.Order = s.Order.ID
	return s, append(working, Save{s.Journal}, Tell{accepted}, Download{*s.Order})
}

// proveInPlace puts the version that runs on trial, without a switch: it never proved itself,
// and because of a step that cannot be undone nothing before it can come back.
func (s State) proveInPlace(working []Effect) (State, []Effect) {
	s.Phase, s.Trial, s.NoReturn = install.PhaseTrial, &install.Trial{}, s.Unproven
	accepted := &events.AgentDownloading{Percent: 100}
	accepted.Order = s.Order.ID
	return s, append(working, Save{s.Journal}, Tell{accepted}, Restart{})
}

// working is what ends the work on the present order, because another one, or none, is wanted.
// The state server waits for this report: until it has it, it does not know which version
// this machine will run.
func (s State) working() []Effect {
	if s.Order == nil {
		return nil
	}
	r := &events.AgentUpgradeFailed{Failure: events.Failure{
		Step: "withdrawn", Cause: events.CauseOperator, Code: events.CodeWithdrawn, Text: "the order was withdrawn before the switch",
	}}
	r.Order = s.Order.ID
	if s.Phase == install.PhaseTrial {
		r.Failure.Text = "another order came to the rescue, past the point of no return"
	}
	return []Effect{Drop{}, Tell{r}}
}

// busy says that the order cannot be stopped now: the launcher judges it, or its end is being
// reported. Past the point of no return another order may replace it, because nothing else
// could help a version that does not prove itself.
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
	case in.Unlawful != nil:
		return in.Unlawful
	case o.Machine != s.Machine:
		return no(events.CauseOperator, events.CodeNotForMe, "the order is for machine %s, this is machine %s", o.Machine, s.Machine)
	case in.Now.After(o.Expires):
		return no(events.CauseOperator, events.CodeExpired, "the order expired at %s; the clock here says %s",
			o.Expires.UTC().Format(time.RFC3339), in.Now.UTC().Format(time.RFC3339))
	case s.didBefore(o.Upgrade) && o.Tools.Version != s.Running:
		return no(events.CauseOperator, codeDone, "the upgrade %s was done here before; this machine runs %s since", o.Upgrade, s.Running.Number)
	case o.From != s.Running.Number:
		return no(events.CauseOperator, codeWrongVersion, "the order starts from %s, this machine runs %s", o.From, s.Running.Number)
	case o.Tools.Version.Platform() != s.Running.Platform():
		return no(events.CauseOperator, events.CodeWrongPlatform, "the tools are for %s, this machine is %s", o.Tools.Version.Platform(), s.Running.Platform())
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
	noted := Save{s.Journal} // without it, a process that dies after the report would take up the order again
	s, effects := s.report()
	return s, append([]Effect{noted}, effects...)
}

// with is m with one entry more. It copies m: a State is a value, and callers keep old ones.
func with(m map[string]string, key, value string) map[string]string {
	c := map[string]string{key: value}
	for k, v := range m {
		if k != key {
			c[k] = v
		}
	}
	return c
}

// withdrawn is for a record that says: there is nothing to do. An order is dropped unless the
// switch has begun.
func (s State) withdrawn(in Withdrawn) (State, []Effect) {
	if in.Seq <= s.Seq {
		return s, nil
	}
	if s.busy() || s.Phase == install.PhaseTrial {
		return s.tooLate(in)
	}
	s.Seq = in.Seq
	return s.dropped()
}

// tooLate tells the state server that the order it withdrew cannot be stopped any more,
// because the switch has begun. How the order ends is reported as always.
func (s State) tooLate(in Withdrawn) (State, []Effect) {
	held, _ := s.Held.(Withdrawn)
	again := held.Seq == in.Seq
	s.Held = in
	if again || s.Order == nil || s.Order.ID != in.Order {
		return s, nil
	}
	return s, []Effect{Tell{refusedOrder((*events.OrderSuperseded)(nil), in.Order, &events.Failure{
		Code: codeTooLate, Text: "the order was withdrawn after the switch to " + s.Order.Tools.Version.Number.String() + " had begun; it goes on",
	})}}
}

func refusedOrder(record events.Payload, order string, f *events.Failure) *events.OrderRefused {
	return &events.OrderRefused{Record: record.Kind(), Order: order, Code: f.Code, Text: f.Text}
}

// didBefore says whether a request was done here.
func (s State) didBefore(request string) bool {
	_, done := s.Used[request]
	return done
}

// maxUsed is how many done requests a machine remembers.
const maxUsed = 1000

// used notes that a request was done. Requests whose time ended before this one began are
// forgotten: they would be refused as expired if somebody showed them again.
func used(m map[string]time.Time, request string, until time.Time) map[string]time.Time {
	if request == "" || until.IsZero() {
		return m
	}
	c := map[string]time.Time{request: until}
	for id, end := range m {
		if len(c) < maxUsed && end.After(until.Add(-events.MaxRequestLife)) {
			c[id] = end
		}
	}
	return c
}

// dropped is the state without its order, which is not on trial.
func (s State) dropped() (State, []Effect) {
	working := s.working()
	s.Journal = s.idle()
	return s, append(working, Save{s.Journal}, Collect{s.inUse()})
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
	return s, []Effect{Save{s.Journal}, Judge{*s.Order, BeforeTest}}
}

// tested is for a version that passed its self-test: its order is judged once more.
func (s State) tested() (State, []Effect) { return s, []Effect{Judge{*s.Order, BeforeSwitch}} }

// judged goes on with an order that still holds. One that does not ends here: nothing of its
// version runs.
func (s State) judged(in Judged) (State, []Effect) {
	phase := install.PhaseStaged
	if in.Before == BeforeDownload {
		phase = install.PhaseAccepted
	}
	return s.next(in.Order, phase, in.Failure, func(s State) (State, []Effect) {
		switch in.Before {
		case BeforeDownload:
			return s, []Effect{Download{*s.Order}}
		case BeforeTest:
			return s, []Effect{Test{*s.Order}}
		case BeforeSwitch:
			return s.leave()
		}
		return s, nil
	})
}

// leave is for an order that holds right before the switch. Before the switch to an older version,
// the upgrade steps of the newer one are undone: the older one may not read what they made.
func (s State) leave() (State, []Effect) {
	if to := s.Order.Tools.Version.Number; to.Compare(s.Running.Number) < 0 && to.Compare(s.Reached) < 0 {
		return s, []Effect{Undo{s.Order.ID, s.Running, to}}
	}
	return s.beginTrial()
}

// beginTrial writes the journal before it switches the link. After a crash in between, the
// launcher sees a trial whose version does not run yet, and switches the link itself. In the
// other order a new version would run without a trial, and nobody could take it back.
func (s State) beginTrial() (State, []Effect) {
	ready := &events.AgentStaged{}
	leaving := &events.AgentRestarting{From: s.Running.Number, To: s.Order.Tools.Version.Number}
	ready.Order, leaving.Order = s.Order.ID, s.Order.ID
	if s.Good == "" {
		s.Good = s.Running.String()
	}
	beyond := *s.Order
	beyond.Warrant = events.Warrant{} // nobody asks for it any more, and the launcher reads this journal at each start
	s.Phase, s.Trial, s.Order = install.PhaseTrial, &install.Trial{}, &beyond
	return s, []Effect{Tell{ready}, Tell{leaving}, Save{s.Journal}, Switch{*s.Order}}
}

// switched ends this process; the launcher starts the new version, and judges it.
func (s State) switched() (State, []Effect) { return s, []Effect{Restart{}} }
