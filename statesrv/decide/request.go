package decide

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// Request is one message of the stream of requests, read once. Nothing of it is believed
// before Authenticate has said whose it is.
type Request struct {
	Seq    uint64     // its position in the stream
	ID     string     // under which it is stored
	Key    string     // likewise: the public key of who published it
	Signed []byte     // the message, byte for byte
	Ask    events.Ask // what it asks; the zero value if it cannot be read

	signed events.Signed
	err    error // why it cannot be read
}

// ReadRequest reads a message of the stream of requests. A message that cannot be read is a
// Request, too: it is refused when its turn comes.
func ReadRequest(seq uint64, id, key string, data []byte) Request {
	r := Request{Seq: seq, ID: id, Key: key, Signed: data}
	r.signed, r.Ask, r.err = events.ParseSigned(data)
	return r
}

// Known is what a decision on a request may look at beside the state.
type Known struct {
	Offered map[string]bool                // digests of the archives that the sources of tools offer
	Marks   map[version.Number]tools.Marks // what publishers say of versions now
	Signed  ArchiveList                    // what release managers have signed

	Publication   *Publication // what was made of the bundle that the request wants published; nil: nothing was staged
	Unpublishable error        // why nothing could be made of it
}

// ArchiveList is what release managers have signed; tuf.Trusted is one.
type ArchiveList interface {
	// Tools gives nil for an archive on the list, or a refusal.
	Tools(tools.Tools) error
}

// Overtake bounds how far requests are judged out of the order of the stream: a request may be judged
// before another one that waits, if it lies fewer than Overtake places behind it. A state server that
// reads the stream again begins that many places before the newest request that was judged, and so finds
// the one that waited.
const Overtake = 64

// Reread is the first position of the stream of requests that may not have been judged.
func Reread(s *projections.State) uint64 {
	return max(s.RequestsSeq+1, Overtake+1) - Overtake
}

// IsJudged says whether a request was judged before. The state knows judged requests by their ids. It may
// have forgotten ids of long ago, but there every request was judged, since none waits for longer than
// Overtake places.
func IsJudged(s *projections.State, r Request) bool {
	_, known := s.Requests[r.ID]
	return known || r.Seq < Reread(s)
}

// Requested judges a stored request, once: it finds the operator who signed it, and records the request and the
// verdict together. A request that no operator has signed is refused, and nothing that it says is used. An
// error says that the request leaves no record.
func Requested(at At, r Request, know Known) (Decision, error) {
	switch {
	case IsJudged(at.State, r) && r.Seq > at.State.RequestsSeq:
		return Decision{}, fmt.Errorf("%w: request %s was judged before", events.ErrInvalid, r.ID)
	case IsJudged(at.State, r):
		return Decision{}, nil // the stream is read again
	}
	by, err := Authenticate(at, r)
	if err != nil {
		return disown(r, err)
	}
	return Judge(at, r, by, know), nil
}

// Authenticate finds the operator whose key signed a request. An error without a code means
// that it is no request at all.
func Authenticate(at At, r Request) (events.Operator, error) {
	if r.err != nil {
		return events.Operator{}, warrant.Unreadable(r.err)
	}
	by, err := at.State.Reader(at.Now).Author(r.signed, r.Ask)
	if err != nil {
		return by, err
	}
	if r.Ask.ID != r.ID || by.Key != r.Key {
		return by, fmt.Errorf("%w: the request lies under another id or key than it names", events.ErrInvalid)
	}
	if !at.State.Unused(r.Ask) {
		return by, events.Refuse(events.CodeRequestExpired, "request %s was signed before the oldest request that is still known; it may have been judged "+
			"before: ask again", r.Ask.ID)
	}
	return by, nil
}

// MayStore refuses a request that is not worth a place in the stream of requests, where it would
// stay for ever: nobody on the roster has signed it, or somebody who may ask for nothing. All
// others are stored and judged, and their refusals are in the log.
func MayStore(at At, r Request) error {
	by, err := Authenticate(at, r)
	switch events.CodeOf(err) {
	case events.CodeOtherEnvironment, events.CodeRequestRevoked:
		return nil
	case "":
		if err != nil {
			return events.Refuse(codeMalformed, "%v", err)
		}
	default:
		return err
	}
	if !by.MayAsk() {
		return events.Refuse(events.CodeRequestScope, "%s may see everything and ask for nothing", by.Name)
	}
	return nil
}

// Judge decides on a request of an operator, unless that was done before. The same state,
// request and time give the same verdict.
func Judge(at At, r Request, by events.Operator, know Known) Decision {
	if IsJudged(at.State, r) {
		return Decision{}
	}
	q := &inquiry{
		At: at, Known: know, judges: judges, ask: r.Ask, by: by,
		req: events.Request{ID: r.Ask.ID, Action: r.Ask.Action, Operator: by.Name, Created: r.Ask.Created, Signed: r.Signed},
	}
	d := q.decision(r.Seq, q.judge())
	d.Otherwise = func(err error) []Fact {
		return q.decision(r.Seq, verdict{
			received: &events.RequestReceived{Request: q.req},
			reasons:  refuse(codeMalformed, "it cannot be recorded: %s", clip(err.Error(), maxReason)),
		}).Facts
	}
	return d
}

// disown records that a request was refused because no operator has signed it. Without a code or a valid id
// nothing can be recorded, and the error is given back.
func disown(r Request, why error) (Decision, error) {
	if events.CodeOf(why) == "" || !events.IsID(r.ID) {
		return Decision{}, why
	}
	return Decision{Facts: []Fact{{
		Cause: causeOfRequest(r.Seq), Correlation: r.ID,
		Payload: &events.RequestRefused{Request: r.ID, Reasons: reasonsOf(why)},
	}}}, nil
}

// causeOfRequest is the cause of the first record that a message of the stream led to: the
// fold reads from it how far the stream was judged.
func causeOfRequest(seq uint64) string { return fmt.Sprintf("%s%d", projections.CauseRequests, seq) }

// inquiry is one request that is being judged, with everything that its judge may look at.
type inquiry struct {
	At
	Known
	ask events.Ask
	by  events.Operator
	req events.Request // as it goes into the log

	judges    map[string]func(*inquiry) verdict // all of them: an approval lets what it approves be judged again
	approvals [][]byte                          // of other operators who agree, with the one that is being judged

	machines []warrant.Machine // that it is about
	list     *warrant.List     // of them; see proofs
}

// verdict is what a request leads to: the fact that holds the request, then what was
// decided, or the reasons of a refusal.
type verdict struct {
	received events.Payload // nil: a request.received
	decided  []events.Payload
	reasons  []events.Reason // why it is refused; then decided is not recorded
	missing  int             // how many more operators must agree
}

func refuse(code, format string, args ...any) []events.Reason {
	return []events.Reason{*events.Refuse(code, format, args...)}
}

// judge decides. Whether the signer may ask this at all is checked before what is asked.
func (q *inquiry) judge() verdict {
	received := &events.RequestReceived{Request: q.req}
	if q.ask.Environment != q.State.UUID {
		return verdict{received: received, reasons: refuse(events.CodeOtherEnvironment,
			"the request is for environment %s, this one is %s", q.ask.Environment, q.State.UUID)}
	}
	if q.Now.After(q.ask.Expires) {
		return verdict{received: received, reasons: refuse(events.CodeRequestExpired,
			"the request expired at %s, before a state server could judge it", q.ask.Expires.UTC().Format(time.RFC3339))}
	}
	if q.judges[q.ask.Action] == nil {
		return verdict{received: received, reasons: refuse(codeUnknown,
			"this state server does not know the action %q; it may be older than the client", q.ask.Action)}
	}
	q.machines = targets.Of(q.State, q.ask)
	v := q.judged()
	if v.received == nil {
		v.received = received
	}
	return v
}

// judged is the verdict on a request for an action that is known: who asks, what, of which machines,
// and who must agree.
func (q *inquiry) judged() verdict {
	if reasons := q.mayAsk(); len(reasons) > 0 {
		return verdict{reasons: reasons}
	}
	v := q.judges[q.ask.Action](q)
	if len(v.reasons) == 0 {
		v.reasons = q.sameMachines()
	}
	if len(v.reasons) == 0 {
		v = q.agreement(v)
	}
	return v
}

// maxReason bounds the text of a reason that quotes an error.
const maxReason = limits.ReasonBytes

// decision is the request and the verdict on it, to be recorded together.
func (q *inquiry) decision(seq uint64, v verdict) Decision {
	first := Fact{ID: q.NewID(), Actor: "operator-" + q.req.Operator, Cause: causeOfRequest(seq), Correlation: q.req.ID, Payload: v.received}
	decided := v.decided
	if len(v.reasons) > 0 {
		decided = []events.Payload{refusal(v, q.req.ID)}
	}
	d := Decision{Facts: make([]Fact, 0, 1+len(decided))}
	d.Facts = append(d.Facts, first)
	for _, p := range decided {
		d.Facts = append(d.Facts, Fact{Cause: first.ID, Correlation: q.req.ID, Payload: p})
	}
	return d
}

func refusal(v verdict, id string) events.Payload {
	if _, upgrade := v.received.(*events.UpgradeRequested); upgrade {
		return &events.UpgradeRefused{Upgrade: id, Reasons: v.reasons}
	}
	return &events.RequestRefused{Request: id, Reasons: v.reasons}
}
