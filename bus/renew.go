package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// Renewal is a renewal as a state server receives it. Its signature was checked: whoever sent
// it has the private half of Key.
type Renewal struct {
	wire.RenewRequest
	Answer func(wire.Renewed, error)
}

// renewType stands in what is signed, as enrolType does.
const renewType = "jujube.renew.v1"

// sealedRenewal carries the exact bytes that the machine's key signed.
type sealedRenewal struct {
	Request   []byte `json:"request"`
	Signature []byte `json:"signature"`
}

// Renew asks for new credentials for id, over a connection that was made with ENROL
// credentials: the machine's own may have ended. Of r, the caller sets all but Key. A
// refusal is an *events.Reason.
func (c *Conn) Renew(ctx context.Context, id events.Signer, r wire.RenewRequest) (wire.Renewed, error) {
	r.Key = id.Public()
	data, err := sealRenewal(id, r)
	var answer wire.Renewed
	if err == nil {
		err = c.request(ctx, names.SubjectRenew, data, &answer)
	}
	if err == nil && answer.Refused != nil {
		err = fmt.Errorf("refused: %w", answer.Refused.TextFirst())
	}
	if err != nil {
		return wire.Renewed{}, fmt.Errorf("renew credentials: %w", err)
	}
	return answer, nil
}

func sealRenewal(id events.Signer, r wire.RenewRequest) ([]byte, error) {
	var sealed sealedRenewal
	var err error
	if sealed.Request, err = json.Marshal(r); err != nil {
		return nil, err
	}
	if sealed.Signature, err = id.Sign(events.PAE(renewType, sealed.Request)); err != nil {
		return nil, err
	}
	return json.Marshal(sealed)
}

// ServeRenewals hands f every renewal that the machine's own key signed, one after another,
// until stop is called. f may answer later. An error that f answers is sent as a refusal.
func (c *Conn) ServeRenewals(f func(Renewal)) (stop func(), err error) {
	return c.subscribe(names.SubjectRenew, limits.EnrolBytes, func(m *nats.Msg) {
		req, err := wire.RenewRequest{}, c.budgets.renewals.take(senderOf(m), len(m.Data))
		if err == nil {
			req, err = openRenewal(m.Data)
		}
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

// openRenewal decodes a renewal and checks its signature.
func openRenewal(data []byte) (wire.RenewRequest, error) {
	var sealed sealedRenewal
	var req wire.RenewRequest
	err := wire.DecodeSigned(data, &sealed)
	if err == nil {
		err = wire.DecodeSigned(sealed.Request, &req)
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
