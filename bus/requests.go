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

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
)

// Request is one stored request as a state server receives it. NATS lets only the holder of
// Key publish under that key; nothing else about the request was checked.
type Request struct {
	Seq  uint64    // in REQUESTS, which has no gaps
	Key  string    // public key from the subject
	ID   string    // request id from the subject
	Data []byte    // for events.ParseSigned; it may be garbage
	Time time.Time // when NATS stored it
}

// PublishRequest signs an ask and stores it in REQUESTS, whether or not a state server runs
// that decides on it. It returns the sequence there.
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
	ack, err := c.js.Publish(ctx, subject, data)
	if err == nil && !ack.Duplicate {
		return ack.Sequence, nil
	}
	if err == nil { // NATS found a Nats-Msg-Id, which nobody here sets
		err = fmt.Errorf("%w: NATS says that it has this message already, but what it has is another one", ErrExists)
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
	defer c.onReconnect(hint.Send)()
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
