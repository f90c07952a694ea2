package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
)

// Request is one stored request as a state server receives it.
type Request struct {
	Seq  uint64    // in REQUESTS, which has no gaps
	Key  string    // public key from the subject
	ID   string    // request id from the subject
	Data []byte    // for events.ParseSigned; it may be garbage
	Time time.Time // when NATS stored it
}

// Asked is a request on its way, before it is stored. NATS lets only the holder of Key publish
// under that key; nothing else about the request was checked.
type Asked struct {
	Key  string
	ID   string
	Data []byte
	Keep func()      // stores it, and answers
	Deny func(error) // answers that it was not stored
}

// ServeAsked hands every request to f before it is stored, one after another, until stop is
// called. f calls Keep or Deny, later if it likes. What an operator asks over his allowance is
// refused here.
//
// NATS would store requests by itself. But it can bound a stream only as a whole, and bounds
// nobody's rate: one operator could fill the disk, and others would wait behind him.
func (c *Conn) ServeAsked(f func(Asked)) (stop func(), err error) {
	return c.subscribe(names.SubjectAsk+"*.*", limits.RequestBytes, func(m *nats.Msg) {
		key, id, _ := strings.Cut(strings.TrimPrefix(m.Subject, names.SubjectAsk), ".")
		deny := func(err error) { c.answer(m, storedRequest{Refused: refusalOf(err)}) }
		if err := c.budgets.requests.take(key, len(m.Data)); err != nil {
			c.garbage(m.Subject, err)
			deny(err)
			return
		}
		f(Asked{Key: key, ID: id, Data: m.Data, Deny: deny, Keep: func() { c.keepRequest(m, key, id) }})
	})
}

// keepTimeout bounds the storing of one request.
const keepTimeout = 10 * time.Second

// keepRequest stores a request and answers with what NATS says. After an error of NATS the
// client asks again, or finds out that it is stored.
func (c *Conn) keepRequest(m *nats.Msg, key, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), keepTimeout)
	defer cancel()
	answer, err := c.nats.RequestWithContext(ctx, names.SubjectRequest+key+"."+id, m.Data)
	if err != nil {
		c.answer(m, storedRequest{Refused: refusalOf(translate(err))})
		return
	}
	if m.Reply != "" {
		if err := m.Respond(answer.Data); err != nil {
			c.cfg.Logger.Debug("answering", "subject", m.Subject, "err", err)
		}
	}
}

// storedRequest is the answer to a request: what NATS says when it stores a message, or the
// refusal of a state server. Clients of before read both as the answer of NATS.
type storedRequest struct {
	Seq     uint64              `json:"seq,omitempty"`
	Error   *jetstream.APIError `json:"error,omitempty"`
	Refused *events.Reason      `json:"refused,omitempty"`
}

// MarshalJSON gives a refusal as an error of NATS as well.
func (s storedRequest) MarshalJSON() ([]byte, error) {
	type plain storedRequest
	if s.Refused != nil {
		s.Error = &jetstream.APIError{Code: 403, ErrorCode: codeRefused, Description: s.Refused.Error()}
	}
	return json.Marshal(plain(s))
}

// codeRefused stands where NATS has the number of its error. NATS has no such number.
const codeRefused jetstream.ErrorCode = 1

// PublishRequest signs an ask and has it stored in REQUESTS. It returns the sequence there. A
// refusal is an *events.Reason; then it is not stored. It returns ErrNoStateServer when no state
// server leads, and none has taken over for some seconds.
//
// REQUESTS takes one message for each request id, for ever. Publishing the same ask again
// therefore changes nothing, and returns the same sequence: a caller that did not get the
// answer may repeat the call. Another ask under the same id is ErrExists.
func (c *Conn) PublishRequest(ctx context.Context, id *Identity, ask events.Ask) (uint64, error) {
	statement, err := json.Marshal(ask)
	if err != nil {
		return 0, fmt.Errorf("publish request: %w", err)
	}
	signature, err := id.Sign(events.PAE(events.SignedType(ask.Action), statement))
	if err != nil {
		return 0, fmt.Errorf("sign request: %w", err)
	}
	data, err := json.Marshal(events.Signed{Statement: statement, Key: id.Public(), Signature: signature})
	if err != nil {
		return 0, fmt.Errorf("publish request: %w", err)
	}
	if len(data) > limits.RequestBytes {
		return 0, fmt.Errorf("publish request: %w: %d bytes, limit %d", ErrTooLarge, len(data), limits.RequestBytes)
	}
	subject := names.SubjectRequest + id.Public() + "." + ask.ID
	answer, err := untilServed(ctx, func(ctx context.Context) (answer storedRequest, err error) {
		err = c.request(ctx, subject, data, &answer)
		return answer, translate(err)
	})
	switch {
	case err == nil && answer.Refused != nil:
		err = answer.Refused
	case err == nil && answer.Error != nil:
		err = answer.Error
	case err == nil:
		return answer.Seq, nil
	}
	if seq, same := c.sameRequest(ctx, subject, data); errors.Is(translate(err), ErrExists) && same {
		return seq, nil
	}
	return 0, fmt.Errorf("publish request %s: %w", ask.ID, translate(err))
}

// Requests hands f every stored request from the sequence from on, in order, and then each
// new one, until ctx ends. What cannot be read is tried again; no request is left out. Only
// a state server may call it.
func (c *Conn) Requests(ctx context.Context, from uint64, f func(Request)) error {
	hint := host.NewPoke()
	stop, err := c.subscribe(names.SubjectRequest+"*.*", limits.PayloadBytes, func(*nats.Msg) { hint.Send() })
	if err != nil {
		return err
	}
	defer stop()
	defer c.reconnect.add(hint.Send)()
	for next := max(from, 1); ; {
		for m, err := range c.getBatch(ctx, names.StreamRequests, getQuery{Seq: next, Batch: readMessages, MaxBytes: readBytes}) {
			if err != nil {
				c.cfg.Logger.Warn("reading requests", "from", next, "err", err)
				break
			}
			key, id, _ := strings.Cut(strings.TrimPrefix(m.subject, names.SubjectRequest), ".")
			f(Request{Seq: m.seq, Key: key, ID: id, Data: m.data, Time: m.time})
			next = m.seq + 1
			hint.Send() // there may be more behind this window
		}
		select {
		case <-hint:
		case <-time.After(followCheck):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sameRequest says whether the request that is stored under subject has these bytes, and
// its sequence.
func (c *Conn) sameRequest(ctx context.Context, subject string, data []byte) (uint64, bool) {
	m, err := c.getLast(ctx, names.StreamRequests, subject)
	return m.seq, err == nil && bytes.Equal(m.data, data)
}
