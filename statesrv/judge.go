package statesrv

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
)

// Codes of refusals. They are stable; docs and scripts name them.
const (
	codeExpired     = "req-expired"
	codeEnvironment = "other-environment"
	codeMalformed   = "malformed"
	codeUnknown     = "unknown-action"
	codeNoMachine   = "no-such-machine"
	codeNoUnit      = "no-such-unit"
	codeNoService   = "no-such-service"
	codeExists      = "service-exists"
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
	return []events.Reason{*events.Refuse(code, format, args...)}
}

// context of a judgement: everything it may look at.
type inquiry struct {
	state *projections.State
	now   time.Time
	ask   events.Ask
	by    events.Operator
	req   events.Request // as it goes into the log

	machines *warrant.List // that it is about; see list
	newID    func() string
	knowledge

	publication   *publication // of a request to publish: what was made of the staged bundle
	unpublishable error        // or why nothing could be
}

// knowledge is what is known of tools.
type knowledge struct {
	have   func(tools.Tools) bool  // whether an archive is stored or can be fetched
	signed func(tools.Tools) error // whether release managers signed it
	marks  map[version.Number]tools.Marks
}

// knowledge of tools at a state.
func (t *term) knowledge(st *projections.State) knowledge {
	return knowledge{
		have:   func(want tools.Tools) bool { return t.tools.have(st, want) },
		signed: t.signed,
		marks:  marksOf(st, t.tools.said()),
	}
}

// judges decides on requests, by action.
var judges = map[string]func(*inquiry) verdict{
	events.ActionUpgrade:        judgeUpgrade,
	events.ActionRestart:        judgeRestart,
	events.ActionSyncTools:      judgeSyncTools,
	events.ActionSetEnv:         judgeSetEnv,
	events.ActionUnsetEnv:       judgeUnsetEnv,
	events.ActionAddMachine:     judgeAddMachine,
	events.ActionRemoveMachine:  judgeRemoveMachine,
	events.ActionDeploy:         judgeDeploy,
	events.ActionAddUnit:        judgeAddUnit,
	events.ActionRemoveUnit:     judgeRemoveUnit,
	events.ActionRemoveService:  judgeRemoveService,
	events.ActionResolved:       judgeResolved,
	events.ActionTrust:          judgeTrust,
	events.ActionApproveMachine: judgeApproveMachine,
	events.ActionApprove:        judgeApprove,
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
	if reasons := q.mayAsk(); len(reasons) > 0 {
		return verdict{received: received, reasons: reasons}
	}
	v := decide(q)
	if v.received == nil {
		v.received = received
	}
	if len(v.reasons) == 0 {
		v.reasons = q.sameMachines()
	}
	return v
}

// authenticate finds the operator whose key signed the request. What is no refusal with a
// code is no request.
func authenticate(s *projections.State, now time.Time, r bus.Request) (events.Ask, events.Operator, error) {
	ask, operator, err := reader(s, now).Statement(r.Data)
	if err != nil {
		return ask, operator, err
	}
	if ask.ID != r.ID || operator.Key != r.Key {
		return ask, operator, fmt.Errorf("%w: the request lies under another id or key than it names", events.ErrInvalid)
	}
	return ask, operator, nil
}

// decideRequest judges a stored request once and records request and verdict together.
// What no operator signed is refused without being believed in anything.
func (t *term) decideRequest(d *draft, r bus.Request) error {
	return t.decideRequestWith(d, r, func(*inquiry) {})
}

// decideRequestWith lets more be known than the state says.
func (t *term) decideRequestWith(d *draft, r bus.Request, know func(*inquiry)) error {
	if r.Seq <= d.state.RequestsSeq {
		return nil
	}
	ask, operator, err := authenticate(d.state, d.now, r)
	if _, known := d.state.Requests[ask.ID]; err == nil && known {
		err = fmt.Errorf("%w: request %s was judged before", events.ErrInvalid, ask.ID)
	}
	if err == nil {
		q := &inquiry{
			state: d.state, now: d.now, ask: ask, by: operator, newID: d.newID,
			knowledge: t.knowledge(d.state),
			req:       events.Request{ID: ask.ID, Action: ask.Action, Operator: operator.Name, Created: ask.Created, Signed: r.Data},
		}
		know(q)
		err = q.record(d, r.Seq, judge(q))
	} else if reasons := reasonsOf(err); events.CodeOf(err) != "" && events.IsID(r.ID) {
		err = disown(d, r, reasons)
	}
	if err != nil {
		t.metrics.garbage("requests")
		t.cfg.Logger.Warn("skipped a request", "seq", r.Seq, "key", r.Key, "err", err)
	}
	return err
}

// disown records that a request was refused because of who signed it, or did not. One that
// names the id of a request that was judged changes nothing about that.
func disown(d *draft, r bus.Request, reasons []events.Reason) error {
	if _, known := d.state.Requests[r.ID]; known {
		return fmt.Errorf("%w: %s", events.ErrInvalid, reasons[0].Text)
	}
	_, err := d.add("", fmt.Sprintf("%s%d", projections.CauseRequests, r.Seq), r.ID, &events.RequestRefused{Request: r.ID, Reasons: reasons})
	return err
}

// record adds the request and the verdict on it. A verdict that the log cannot hold
// (too large, malformed) becomes a refusal that says so.
func (q *inquiry) record(d *draft, seq uint64, v verdict) error {
	err := q.add(d, seq, v)
	if err == nil {
		return nil
	}
	d.drop()
	return q.add(d, seq, verdict{
		received: &events.RequestReceived{Request: q.req},
		reasons:  refuse(codeMalformed, "it cannot be recorded: %s", clip(err.Error(), maxReason)),
	})
}

// maxReason bounds the text of a reason that quotes an error.
const maxReason = limits.ReasonBytes

func (q *inquiry) add(d *draft, seq uint64, v verdict) error {
	first, err := d.add("operator-"+q.req.Operator, fmt.Sprintf("%s%d", projections.CauseRequests, seq), q.req.ID, v.received)
	if err != nil {
		return err
	}
	if len(v.reasons) > 0 {
		v.decided = []events.Payload{refusal(v, q.req.ID)}
	}
	for _, p := range v.decided {
		if _, err := d.add("", first.ID, q.req.ID, p); err != nil {
			return err
		}
	}
	return nil
}

func refusal(v verdict, id string) events.Payload {
	if _, upgrade := v.received.(*events.UpgradeRequested); upgrade {
		return &events.UpgradeRefused{Upgrade: id, Reasons: v.reasons}
	}
	return &events.RequestRefused{Request: id, Reasons: v.reasons}
}
