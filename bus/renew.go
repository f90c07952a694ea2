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

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
)

// generationTag stands in a machine's JWT before how often it was renewed.
const generationTag = "generation:"

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
		if n, ok := strings.CutPrefix(tag, generationTag); ok {
			l.Generation, err = strconv.ParseUint(n, 10, 64)
		}
	}
	return l, err
}

// RenewRequest is a machine's wish for new credentials. It may come after the old ones
// have ended.
type RenewRequest struct {
	Environment string `json:"environment"`
	Machine     string `json:"machine"`
	Key         string `json:"key"`
	Generation  uint64 `json:"generation"` // of the credentials that it has
	Nonce       string `json:"nonce"`      // the same in every try for the next generation: another one is another machine's

	Answer func(Renewed, error) `json:"-"`
}

// Renewed is the answer.
type Renewed struct {
	JWT         string   `json:"jwt"`
	URLs        []string `json:"urls"`
	Authorities string   `json:"authorities"` // certificates that are believed, PEM
	Refused     *Refusal `json:"refused,omitempty"`
}

// renewType separates the signature of a renewal from every other use of the key.
const renewType = "jujube.renew.v1"

type sealedRenewal struct {
	Request   []byte `json:"request"`
	Signature []byte `json:"signature"`
}

// Renew asks for new credentials for id over a connection made with ENROL credentials. It
// returns a Refusal when the state server says no.
func (c *Conn) Renew(ctx context.Context, id *Identity, r RenewRequest) (Renewed, error) {
	r.Key = id.Public()
	var sealed sealedRenewal
	var err error
	if sealed.Request, err = json.Marshal(r); err != nil {
		return Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	if sealed.Signature, err = id.Sign(events.PAE(renewType, sealed.Request)); err != nil {
		return Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	data, err := json.Marshal(sealed)
	if err != nil {
		return Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	m, err := c.nats.RequestWithContext(ctx, subjectRenew, data)
	if err != nil {
		return Renewed{}, fmt.Errorf("renew credentials: %w", translate(err))
	}
	var answer Renewed
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	if answer.Refused != nil {
		return Renewed{}, fmt.Errorf("renew credentials: refused: %w", answer.Refused)
	}
	return answer, nil
}

// ServeRenewals hands every renewal that is signed by the key it is for to f.
func (c *Conn) ServeRenewals(f func(RenewRequest)) (stop func(), err error) {
	return c.subscribe(subjectRenew, limits.EnrolBytes, func(m *nats.Msg) {
		req, err := openRenewal(m.Data)
		if err != nil {
			c.garbage(m.Subject, err)
			c.answer(m, Renewed{Refused: refusalOf(err)})
			return
		}
		req.Answer = func(r Renewed, err error) {
			if err != nil {
				r = Renewed{Refused: refusalOf(err)}
			}
			c.answer(m, r)
		}
		f(req)
	})
}

func openRenewal(data []byte) (RenewRequest, error) {
	var sealed sealedRenewal
	var req RenewRequest
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
		return req, &Refusal{RenewMalformed, fmt.Sprintf("read a renewal: %v", err)}
	}
	if err := Verify(req.Key, events.PAE(renewType, sealed.Request), sealed.Signature); err != nil {
		return req, &Refusal{Possession, fmt.Sprintf("check the key of a renewal: %v", err)}
	}
	return req, nil
}
