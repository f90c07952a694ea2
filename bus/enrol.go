package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/strictjson"
	"github.com/jujube-project/jujube/events/wire"
)

// Enrolment is an enrolment as a state server receives it. Its two signatures were checked:
// whoever sent it has the secret of the token with TokenKey, and the private half of Key.
type Enrolment struct {
	wire.EnrolRequest
	Answer func(wire.Enrolled, error)
}

// enrolType stands in what is signed, so that a signature of an enrolment can be used for
// nothing else, and no other signature for an enrolment.
const enrolType = "jujube.enrol.v1"

// sealedEnrolment carries the exact bytes that both keys signed, so that they need not be
// made a second time, in the same form, to check the signatures.
type sealedEnrolment struct {
	Request []byte `json:"request"`
	ByToken []byte `json:"by_token"` // the token's key signed: whoever asks is invited
	ByKey   []byte `json:"by_key"`   // the host's key signed: whoever asks has that key
}

// Enrol enrols this host over a connection that was made with the token's ENROL credentials.
// Of facts, the caller sets Hostname, Host and Version; the rest is set here. id is the key
// under which the machine will be known. A second call with the same id gives the same
// machine, so a caller that got no answer may repeat it.
//
// A refusal is an *events.Reason. If the environment that answers has another root than the
// token pins, it is events.CodeOtherRoot, and nothing of the answer is to be kept.
func (c *Conn) Enrol(ctx context.Context, token JoinToken, id *Identity, facts wire.EnrolRequest) (wire.Enrolled, error) {
	data, err := sealEnrolment(token, id, facts)
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol: %w", err)
	}
	var answer wire.Enrolled
	if err = c.request(ctx, names.SubjectEnrol, data, &answer); err == nil {
		err = judgeEnrolled(token, answer)
	}
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol as machine %s: %w", token.Machine, err)
	}
	return answer, nil
}

func sealEnrolment(token JoinToken, id *Identity, facts wire.EnrolRequest) ([]byte, error) {
	key, err := ParseIdentity([]byte(token.Seed))
	if err != nil {
		return nil, fmt.Errorf("the token's secret: %w", err)
	}
	facts.Environment, facts.Machine, facts.TokenKey, facts.Key = token.Environment, token.Machine, key.Public(), id.Public()
	var sealed sealedEnrolment
	if sealed.Request, err = json.Marshal(facts); err != nil {
		return nil, err
	}
	if sealed.ByToken, err = key.Sign(events.PAE(enrolType+".token", sealed.Request)); err != nil {
		return nil, err
	}
	if sealed.ByKey, err = id.Sign(events.PAE(enrolType+".host", sealed.Request)); err != nil {
		return nil, err
	}
	return json.Marshal(sealed)
}

// judgeEnrolled returns the refusal that an answer holds, and refuses an environment whose
// trust does not begin where the token says.
func judgeEnrolled(token JoinToken, answer wire.Enrolled) error {
	if answer.Refused != nil {
		return fmt.Errorf("refused: %w", answer.Refused.TextFirst())
	}
	if root := sha256.Sum256(answer.Root); token.Anchor != "" && hex.EncodeToString(root[:]) != token.Anchor {
		return fmt.Errorf("%w; nothing was kept", events.Refuse(events.CodeOtherRoot,
			"what answers is another environment: its trust begins at root %x, the token pins %.16s…", root[:8], token.Anchor).TextFirst())
	}
	return nil
}

// ServeEnrol hands f every enrolment whose two signatures are right, one after another, until
// stop is called. f decides whether the token is that of an open invitation, and may answer
// later. An error that f answers is sent as a refusal.
func (c *Conn) ServeEnrol(f func(Enrolment)) (stop func(), err error) {
	return c.subscribe(names.SubjectEnrol, limits.EnrolBytes, func(m *nats.Msg) {
		req, err := wire.EnrolRequest{}, c.budgets.enrolments.take(senderOf(m), len(m.Data))
		if err == nil {
			req, err = openEnrolment(m.Data)
		}
		if err != nil {
			c.garbage(m.Subject, err)
			c.answer(m, wire.Enrolled{Refused: refusalOf(err)})
			return
		}
		f(Enrolment{EnrolRequest: req, Answer: func(e wire.Enrolled, err error) {
			if err != nil {
				e = wire.Enrolled{Refused: refusalOf(err)}
			}
			c.answer(m, e)
		}})
	})
}

// refusalOf is the refusal that an error holds. An error without one has its cause in the
// state server, not in who asks.
func refusalOf(err error) *events.Reason {
	var r *events.Reason
	if errors.As(err, &r) {
		return r
	}
	return events.Refuse(events.CodeUnavailable, "%v", err)
}

// openEnrolment decodes an enrolment and checks both signatures.
func openEnrolment(data []byte) (wire.EnrolRequest, error) {
	var sealed sealedEnrolment
	var req wire.EnrolRequest
	err := decodeSigned(data, &sealed)
	if err == nil {
		err = decodeSigned(sealed.Request, &req)
	}
	if err != nil {
		return req, events.Refuse(events.CodeTokenMalformed, "read enrolment: %v", err)
	}
	if err := Verify(req.TokenKey, events.PAE(enrolType+".token", sealed.Request), sealed.ByToken); err != nil {
		return req, events.Refuse(events.CodeTokenProof, "check the token of an enrolment: %v", err)
	}
	if err := Verify(req.Key, events.PAE(enrolType+".host", sealed.Request), sealed.ByKey); err != nil {
		return req, events.Refuse(events.CodePossession, "check the host's key of an enrolment: %v", err)
	}
	return req, nil
}

// sealedRules are what statements of hosts and machines are held to.
var sealedRules = strictjson.Rules{Depth: 4, Fields: true}

// decodeSigned takes what can be read in one way only, and has no field that it does not know: a
// statement must not be half understood.
func decodeSigned(statement []byte, v any) error {
	if err := sealedRules.Check(statement); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(statement))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
