package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// Life is what a machine's JWT says of itself.
type Life struct {
	Issued     time.Time
	Ends       time.Time
	Generation uint64
}

// LifeOf reads a machine's JWT. Nobody is believed for it: NATS and the state server know.
func LifeOf(token string) (Life, error) {
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return Life{}, fmt.Errorf("read credentials: %w", err)
	}
	l := Life{Issued: time.Unix(claims.IssuedAt, 0), Ends: time.Unix(claims.Expires, 0)}
	for _, tag := range claims.Tags {
		if n, ok := strings.CutPrefix(tag, names.GenerationTag); ok {
			l.Generation, err = strconv.ParseUint(n, 10, 64)
		}
	}
	return l, err
}

// Renewal is a renewal as a state server receives it: the key that it is for has signed it.
type Renewal struct {
	wire.RenewRequest
	Answer func(wire.Renewed, error)
}

// renewType separates the signature of a renewal from every other use of the key.
const renewType = "jujube.renew.v1"

type sealedRenewal struct {
	Request   []byte `json:"request"`
	Signature []byte `json:"signature"`
}

// Renew asks for new credentials for id over a connection made with ENROL credentials. It
// returns an events.Reason when the state server says no.
func (c *Conn) Renew(ctx context.Context, id *Identity, r wire.RenewRequest) (wire.Renewed, error) {
	r.Key = id.Public()
	var sealed sealedRenewal
	var err error
	if sealed.Request, err = json.Marshal(r); err != nil {
		return wire.Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	if sealed.Signature, err = id.Sign(events.PAE(renewType, sealed.Request)); err != nil {
		return wire.Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	data, err := json.Marshal(sealed)
	if err != nil {
		return wire.Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	m, err := c.nats.RequestWithContext(ctx, names.SubjectRenew, data)
	if err != nil {
		return wire.Renewed{}, fmt.Errorf("renew credentials: %w", translate(err))
	}
	var answer wire.Renewed
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return wire.Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	if answer.Refused != nil {
		return wire.Renewed{}, fmt.Errorf("renew credentials: refused: %w", answer.Refused.TextFirst())
	}
	return answer, nil
}

// ServeRenewals hands every renewal that is signed by the key it is for to f.
func (c *Conn) ServeRenewals(f func(Renewal)) (stop func(), err error) {
	return c.subscribe(names.SubjectRenew, limits.EnrolBytes, func(m *nats.Msg) {
		req, err := openRenewal(m.Data)
		if err != nil {
			c.garbage(m.Subject, err)
			c.answer(m, wire.Renewed{Refused: refusalOf(err)})
			return
		}
		f(Renewal{RenewRequest: req, Answer: func(r wire.Renewed, err error) {
			if err != nil {
				r = wire.Renewed{Refused: refusalOf(err)}
			}
			c.answer(m, r)
		}})
	})
}

func openRenewal(data []byte) (wire.RenewRequest, error) {
	var sealed sealedRenewal
	var req wire.RenewRequest
	err := json.Unmarshal(data, &sealed)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(sealed.Request))
		d.DisallowUnknownFields()
		err = d.Decode(&req)
	}
	if err == nil && (!events.IsMachine(req.Machine) || !events.IsID(req.Nonce)) {
		err = errors.New("it names no machine or no nonce")
	}
	if err != nil {
		return req, events.Refuse(events.CodeRenewMalformed, "read a renewal: %v", err)
	}
	if err := Verify(req.Key, events.PAE(renewType, sealed.Request), sealed.Signature); err != nil {
		return req, events.Refuse(events.CodePossession, "check the key of a renewal: %v", err)
	}
	return req, nil
}
