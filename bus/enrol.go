package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/nats-io/nats.go"
)

// JoinToken lets one host enrol as one machine, once. It pins the environment, so that the
// machine knows whom it believes before it says anything, and holds the seed of a key that only the state server's log knows the public half of.
type JoinToken struct {
	Environment string      `json:"environment"` // UUID
	Name        string      `json:"name"`
	Machine     string      `json:"machine"` // id
	URLs        []string    `json:"urls"`
	Authorities string      `json:"authorities"` // certificates that are believed, PEM
	Enrol       Credentials `json:"enrol"`       // of the ENROL account
	Seed        string      `json:"seed"`
	Anchor      string      `json:"anchor,omitempty"` // of the site's trust: sha256 of its root, in hex

	Labels map[string]string `json:"labels,omitempty"` // of the machine
}

const tokenPrefix = "jujube1."

// String is the token as a person passes it on. It is a secret until it was used.
func (t JoinToken) String() string {
	b, err := json.Marshal(t)
	if err != nil {
		return ""
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// ParseJoinToken reads what String wrote. It returns an events.Reason with events.CodeTokenMalformed for
// everything else.
func ParseJoinToken(s string) (JoinToken, error) {
	var t JoinToken
	text, ok := strings.CutPrefix(strings.TrimSpace(s), tokenPrefix)
	if !ok {
		return t, malformed("it does not begin with %q; copy it whole from `juju add-machine`", tokenPrefix)
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil {
		return t, malformed("it is cut short or altered (%v); copy it whole from `juju add-machine`", err)
	}
	if !events.IsMachine(t.Machine) || t.Seed == "" || len(t.URLs) == 0 {
		return t, malformed("it lacks the machine, the secret or the address; copy it whole from `juju add-machine`")
	}
	if err := events.CheckLabels(t.Labels); err != nil {
		return t, malformed("%v; copy it whole from `juju add-machine`", err)
	}
	if err := CheckAuthorities(t.Authorities); err != nil {
		return t, malformed("it does not pin the environment's certificate authority: %v; ask for a new one with `juju add-machine`", err)
	}
	return t, nil
}

func malformed(format string, args ...any) error {
	return events.Refuse(events.CodeTokenMalformed, "read the join token: "+format, args...).TextFirst()
}

// Enrolment is an enrolment as a state server receives it: its two signatures are right.
type Enrolment struct {
	wire.EnrolRequest
	Answer func(wire.Enrolled, error)
}

// enrolType separates the signatures of an enrolment from every other use of the keys.
const enrolType = "jujube.enrol.v1"

// sealedEnrolment carries the exact bytes that both keys signed: the token's, to prove
// the invitation, and the host's, to prove possession.
type sealedEnrolment struct {
	Request []byte `json:"request"`
	ByToken []byte `json:"by_token"`
	ByKey   []byte `json:"by_key"`
}

// Enrol enrols this host over a connection made with the token's ENROL credentials.
// facts needs Hostname, Host and Version only. Repeating it with the same identity gives the
// same machine.
func (c *Conn) Enrol(ctx context.Context, token JoinToken, id *Identity, facts wire.EnrolRequest) (wire.Enrolled, error) {
	key, err := ParseIdentity([]byte(token.Seed))
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol: the token's secret: %w", err)
	}
	facts.Environment, facts.Machine, facts.TokenKey, facts.Key = token.Environment, token.Machine, key.Public(), id.Public()
	var sealed sealedEnrolment
	if sealed.Request, err = json.Marshal(facts); err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol: %w", err)
	}
	var err1, err2 error
	sealed.ByToken, err1 = key.Sign(events.PAE(enrolType+".token", sealed.Request))
	sealed.ByKey, err2 = id.Sign(events.PAE(enrolType+".host", sealed.Request))
	data, err3 := json.Marshal(sealed)
	if err := errors.Join(err1, err2, err3); err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol: %w", err)
	}
	m, err := c.nats.RequestWithContext(ctx, names.SubjectEnrol, data)
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol as machine %s: %w", token.Machine, translate(err))
	}
	var answer wire.Enrolled
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol as machine %s: %w", token.Machine, err)
	}
	if answer.Refused != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol as machine %s: refused: %w", token.Machine, answer.Refused.TextFirst())
	}
	if root := sha256.Sum256(answer.Root); token.Anchor != "" && hex.EncodeToString(root[:]) != token.Anchor {
		return wire.Enrolled{}, fmt.Errorf("enrol as machine %s: %w; nothing was kept", token.Machine,
			events.Refuse(events.CodeOtherRoot, "what answers is another environment: its trust begins at root %x, the token pins %.16s…", root[:8], token.Anchor).TextFirst())
	}
	return answer, nil
}

// ServeEnrol hands every enrolment whose two signatures are right to f. f decides
// whether the token is one of an open invitation.
func (c *Conn) ServeEnrol(f func(Enrolment)) (stop func(), err error) {
	return c.subscribe(names.SubjectEnrol, limits.EnrolBytes, func(m *nats.Msg) {
		req, err := openEnrolment(m.Data)
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

// refusalOf gives an error its code; one without is the state server's own trouble.
func refusalOf(err error) *events.Reason {
	var r *events.Reason
	if errors.As(err, &r) {
		return r
	}
	return events.Refuse(events.CodeUnavailable, "%v", err)
}

func openEnrolment(data []byte) (wire.EnrolRequest, error) {
	var sealed sealedEnrolment
	var req wire.EnrolRequest
	if err := json.Unmarshal(data, &sealed); err != nil {
		return req, events.Refuse(events.CodeTokenMalformed, "read enrolment: %v", err)
	}
	d := json.NewDecoder(bytes.NewReader(sealed.Request))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
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
