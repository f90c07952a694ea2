package statesrv

import (
	"fmt"
	"slices"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// Codes of refusals. They are stable; docs and scripts name them.
const (
	codeExpired     = "expired"
	codeSignature   = "bad-signature"
	codeOperator    = "unknown-operator"
	codeEnvironment = "other-environment"
	codeMalformed   = "malformed"
	codeUnknown     = "unknown-action"
	codeNoMachine   = "no-such-machine"
	codeNoUnit      = "no-such-unit"
	codeTooMany     = "too-many"
	codeBadValue    = "bad-value"
	codeInUse       = "in-use"
)

// verdict is what a request leads to: the fact that holds the request, then what was
// decided, or the reasons of a refusal.
type verdict struct {
	received events.Payload
	decided  []events.Payload
	reasons  []events.Reason
}

func refuse(code, format string, args ...any) []events.Reason {
	return []events.Reason{{Code: code, Text: fmt.Sprintf(format, args...)}}
}

// context of a judgement: everything it may look at.
type inquiry struct {
	state *projections.State
	now   time.Time
	ask   events.Ask
	req   events.Request // as it goes into the log
	newID func() string
	have  func(sha256 string) bool // whether an archive is stored or can be fetched
}

// judges decides on requests, by action.
var judges = map[string]func(*inquiry) verdict{
	events.ActionUpgrade:       judgeUpgrade,
	events.ActionRestart:       judgeRestart,
	events.ActionSyncTools:     judgeSyncTools,
	events.ActionSetEnv:        judgeSetEnv,
	events.ActionUnsetEnv:      judgeUnsetEnv,
	events.ActionAddMachine:    judgeAddMachine,
	events.ActionRemoveMachine: judgeRemoveMachine,
	events.ActionDeploy:        judgeDeploy,
	events.ActionRemoveUnit:    judgeRemoveUnit,
}

// judge decides on one request. It is pure: the same state, request and time give the
// same verdict. Whether the signer may ask at all comes before what is asked.
func judge(q *inquiry) verdict {
	received := &events.RequestReceived{Request: q.req}
	if q.ask.Environment != q.state.UUID {
		return verdict{received: received, reasons: refuse(codeEnvironment,
			"the request is for environment %s, this one is %s", q.ask.Environment, q.state.UUID)}
	}
	if q.now.After(q.ask.Expires) {
		return verdict{received: received, reasons: refuse(codeExpired,
			"the request expired at %s, before a state server could judge it", q.ask.Expires.UTC().Format(time.RFC3339))}
	}
	decide, ok := judges[q.ask.Action]
	if !ok {
		return verdict{received: received, reasons: refuse(codeUnknown,
			"this state server does not know the action %q; it may be older than the client", q.ask.Action)}
	}
	v := decide(q)
	if v.received == nil {
		v.received = received
	}
	return v
}

// authenticate finds the operator whose key signed the request.
func authenticate(s *projections.State, r bus.Request) (events.Signed, events.Ask, events.Operator, error) {
	signed, ask, err := events.ParseSigned(r.Data)
	if err != nil {
		return signed, ask, events.Operator{}, err
	}
	if ask.ID != r.ID || signed.Key != r.Key {
		return signed, ask, events.Operator{}, fmt.Errorf("%w: the request lies under another id or key than it names", events.ErrInvalid)
	}
	i := slices.IndexFunc(s.Operators, func(o events.Operator) bool { return o.Key == signed.Key })
	if i < 0 {
		return signed, ask, events.Operator{}, fmt.Errorf("%w: key %s is no operator's", bus.ErrDenied, signed.Key)
	}
	err = bus.Verify(signed.Key, events.PAE(events.RequestType, signed.Statement), signed.Signature)
	return signed, ask, s.Operators[i], err
}

// decideRequest judges a stored request once and records request and verdict together.
// What cannot be a request of one of the operators is counted and left out of the log.
func (s *Server) decideRequest(d *draft, r bus.Request) error {
	if r.Seq <= d.state.RequestsSeq {
		return nil
	}
	_, ask, operator, err := authenticate(d.state, r)
	if err != nil {
		s.metrics.garbage("requests")
		s.cfg.Logger.Warn("skipped a request", "seq", r.Seq, "key", r.Key, "err", err)
		return nil
	}
	v := judge(&inquiry{
		state: d.state, now: d.now, ask: ask, newID: d.newID, have: s.haveTools,
		req: events.Request{ID: ask.ID, Action: ask.Action, Operator: operator.Name, Created: ask.Created, Signed: r.Data},
	})
	actor := "operator-" + operator.Name
	cause := fmt.Sprintf("%s%d", requestCause, r.Seq)
	first, err := d.add(actor, cause, ask.ID, v.received)
	if err != nil {
		s.metrics.garbage("requests")
		s.cfg.Logger.Warn("skipped a request", "seq", r.Seq, "err", err)
		return nil
	}
	if len(v.reasons) > 0 {
		var refused events.Payload = &events.RequestRefused{Request: ask.ID, Reasons: v.reasons}
		if _, is := v.received.(*events.UpgradeRequested); is {
			refused = &events.UpgradeRefused{Upgrade: ask.ID, Reasons: v.reasons}
		}
		v.decided = []events.Payload{refused}
	}
	for _, p := range v.decided {
		if _, err := d.add("", first.ID, ask.ID, p); err != nil {
			return err
		}
	}
	return nil
}

// requestCause opens the causation of the record that holds a request; its position in
// REQUESTS follows. The fold reads it.
const requestCause = "requests:"
