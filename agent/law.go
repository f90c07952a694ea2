package agent

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
)

// Law is what a machine checks everything against that it is told to do: the signed metadata
// it believes, and who it is. Nothing else of what a state server says is believed.
type Law struct {
	warrant.Reader
	Own  warrant.Machine
	Runs version.Number
	// CanRun says why this host cannot run a unit that operators asked for. nil: it is not asked.
	CanRun func(events.UnitSpec) error
}

// step of a failure that a check gave.
const stepCheck = "check"

// Codes of refusals beside those of package events.
const (
	codeDone    = "already-done" // what the request asks was done here before
	codeTooLate = "too-late"     // the order was withdrawn when it could not be stopped any more

	codeNoSuchUser     = "no-such-user"     // this host has no such user
	codeSealedForOther = "sealed-for-other" // this machine's key does not open the unit's environment
)

// Input is what a record on the machine's order subject means to it, with what the law says
// of it; nil: nothing. The checks come in the order of docs/SECURITY.md, and the first that
// fails is named. A record that no state server signed is an error.
func (l Law) Input(rec events.Record, payload events.Payload) (Input, error) {
	if err := l.Server(rec); err != nil {
		return nil, err
	}
	in := InputOf(rec.Seq, payload, l.Now)
	switch p := payload.(type) {
	case *events.OrderIssued:
		ordered := in.(Ordered)
		ask, err := l.Order(*p, l.Own, l.Runs)
		ordered.Until, ordered.Unlawful = ask.LastStart(), failureOf(err)
		return ordered, nil
	case *events.RestartOrdered:
		restart := in.(RestartOrdered)
		ask, err := l.Plain(events.ActionRestart, p.Machine, p.Warrant, l.Own)
		restart.Request, restart.Until, restart.Unlawful = ask.ID, ask.LastStart(), failureOf(err)
		return restart, nil
	case *events.MachineResolved:
		resolved := in.(Resolved)
		_, err := l.Plain(events.ActionResolved, p.Machine, p.Warrant, l.Own)
		resolved.Unlawful = failureOf(err)
		return resolved, nil
	}
	return in, nil
}

// Again says what the law has against an order that was taken up before; nil: nothing. It is
// asked what a new order is asked, of what is known now: the archive, the request or a key may
// be revoked since, or the time in which machines may begin is over. That the order is a state
// server's, and that its request lies in the log, was checked when it came and does not change.
func (l Law) Again(o install.Order) *events.Failure {
	if len(o.Warrant.Request) == 0 {
		return &events.Failure{
			Step: stepCheck, Cause: events.CauseEnvironment, Code: events.CodeFailed,
			Text: "the journal is of an agent that did not keep what operators signed, so the order cannot be judged again; ask for the upgrade again",
		}
	}
	order := events.OrderIssued{Order: o.ID, Upgrade: o.Upgrade, Machine: l.Own.ID, From: o.From, Tools: o.Tools, Warrant: o.Warrant}
	_, err := l.Order(order, l.Own, l.Runs)
	return failureOf(err)
}

// failureOf is a refusal as a failure of an order.
func failureOf(err error) *events.Failure {
	if err == nil {
		return nil
	}
	return &events.Failure{Step: stepCheck, Cause: events.CauseOperator, Code: refusalCode(err), Text: err.Error()}
}

func refusalCode(err error) string {
	return cmp.Or(events.CodeOf(err), events.CodeRequestSignature)
}

// Units sorts a list of units into those that may run here and what is refused. What runs
// already by the same request is not checked again: it began in time. used are the requests
// that were acted on, with their ends; it grows.
//
// By metadata that has ended, nothing is started and nothing is stopped: what the list leaves out
// goes on, and is refused to be stopped.
func (l Law) Units(list []events.UnitSpec, now map[string]events.UnitSpec, used map[string]time.Time) (run []events.UnitSpec, refused []*events.OrderRefused) {
	for _, u := range list {
		if have, ok := now[u.Unit]; ok && sameUnit(have, u) {
			run = append(run, have)
			continue
		}
		ask, err := l.Unit(u, l.Own)
		if _, done := used[ask.ID]; err == nil && done {
			err = events.Refuse(codeDone, "request %s was for a unit that ran here before", ask.ID)
		}
		if err == nil && l.CanRun != nil {
			err = l.CanRun(u)
		}
		if err != nil {
			refused = append(refused, refusedUnit(u.Unit, err))
			continue
		}
		used[ask.ID] = ask.LastStart()
		run = append(run, u)
	}
	if err := l.Freshness(); err != nil {
		return goOn(run, refused, now, err)
	}
	return run, refused
}

// goOn adds to the units that run those that a list leaves out or changes, and refuses that, each
// unit once.
func goOn(run []events.UnitSpec, refused []*events.OrderRefused, now map[string]events.UnitSpec, stale error) ([]events.UnitSpec, []*events.OrderRefused) {
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if slices.ContainsFunc(run, func(u events.UnitSpec) bool { return u.Unit == name }) {
			continue
		}
		run = append(run, now[name])
		if !slices.ContainsFunc(refused, func(r *events.OrderRefused) bool { return r.Unit == name && isStale(r) }) {
			refused = append(refused, refusedUnit(name, stale))
		}
	}
	return run, refused
}

func refusedUnit(name string, err error) *events.OrderRefused {
	return &events.OrderRefused{Record: (*events.UnitsAssigned)(nil).Kind(), Unit: name, Code: refusalCode(err), Text: err.Error()}
}

// isStale says whether a refusal ends with the next signed metadata.
func isStale(r *events.OrderRefused) bool { return r.Code == events.CodeTUFExpired }

// sameUnit says whether two are one unit, command and request.
func sameUnit(a, b events.UnitSpec) bool {
	return a.Machine == b.Machine && a.Restart == b.Restart && commandText(a) == commandText(b) && string(a.Warrant.Request) == string(b.Warrant.Request)
}
