package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// Enrolment is an enrolment as a state server receives it. Its two signatures were checked:
// whoever sent it has the secret of the token with TokenKey, and the private half of Key.
type Enrolment struct {
	wire.EnrolRequest
	Sealed []byte // the request as it came, with both signatures
	Answer func(wire.Enrolled, error)
}

// Enrol enrols this host over a connection that was made with the token's ENROL credentials.
// Of facts, the caller sets Hostname, Host and Version; the rest is set here. id is the key
// under which the machine will be known. A second call with the same id gives the same
// machine, so a caller that got no answer may repeat it.
//
// A refusal is an *events.Reason. If the environment that answers has another root than the
// token pins, it is events.CodeOtherRoot, and nothing of the answer is to be kept.
func (c *Conn) Enrol(ctx context.Context, token JoinToken, id events.Signer, facts wire.EnrolRequest) (wire.Enrolled, error) {
	data, err := sealEnrolment(token, id, facts)
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol: %w", err)
	}
	var answer wire.Enrolled
	if err = c.request(ctx, names.SubjectEnrol, data, &answer); err == nil {
		err = JudgeEnrolled(token, answer)
	}
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol as machine %s: %w", token.Machine, err)
	}
	return answer, nil
}

func sealEnrolment(token JoinToken, id events.Signer, facts wire.EnrolRequest) ([]byte, error) {
	key, err := ParseIdentity([]byte(token.Seed))
	if err != nil {
		return nil, fmt.Errorf("the token's secret: %w", err)
	}
	facts.Environment, facts.Machine, facts.TokenKey, facts.Key = token.Environment, token.Machine, key.Public(), id.Public()
	return wire.SealEnrolment(facts, key, id)
}

// JudgeEnrolled returns the refusal that an answer to Enrol holds, and refuses an environment whose
// trust does not begin where the token says.
func JudgeEnrolled(token JoinToken, answer wire.Enrolled) error {
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
			req, err = wire.OpenEnrolment(m.Data)
		}
		if err != nil {
			c.garbage(m.Subject, err)
			c.answer(m, wire.Enrolled{Refused: refusalOf(err)})
			return
		}
		f(Enrolment{EnrolRequest: req, Sealed: m.Data, Answer: func(e wire.Enrolled, err error) {
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
