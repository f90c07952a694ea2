package bustest

import (
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
)

// Hostile is a plain NATS connection with somebody's credentials: no client of ours holds him back.
type Hostile struct {
	b       *Bus
	nats    *nats.Conn
	inbox   string
	answers chan *nats.Msg
}

// Hostile connects with credentials. The connection ends with the test.
func (b *Bus) Hostile(creds bus.Credentials) *Hostile {
	b.T.Helper()
	id, err := creds.Identity()
	if err != nil {
		b.T.Fatal(err)
	}
	h := &Hostile{b: b, answers: make(chan *nats.Msg, 1<<16)}
	h.nats, err = nats.Connect(b.URLs[0], nats.UserJWTAndSeed(creds.JWT, creds.Seed), nats.RootCAs(b.Authorities), nats.TLSHandshakeFirst(),
		nats.CustomInboxPrefix("_INBOX."+id.Public()), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(h.nats.Close)
	h.inbox = h.nats.NewInbox()
	if _, err = h.nats.ChanSubscribe(h.inbox, h.answers); err != nil {
		b.T.Fatal(err)
	}
	return h
}

// Send asks and does not wait; Answers has the answer.
func (h *Hostile) Send(subject string, data []byte) {
	h.b.T.Helper()
	if err := h.nats.PublishRequest(subject, h.inbox, data); err != nil {
		h.b.T.Fatal(err)
	}
}

// Answer waits for the next answer to what was sent. ok: one came within wait.
func (h *Hostile) Answer(wait time.Duration) (data []byte, ok bool) {
	select {
	case m := <-h.answers:
		return m.Data, true
	case <-time.After(wait):
		return nil, false
	}
}

// Ask waits for its own answer. ok: one came within wait.
func (h *Hostile) Ask(subject string, data []byte, wait time.Duration) (answer []byte, ok bool) {
	h.b.T.Helper()
	m, err := h.nats.Request(subject, data, wait)
	if errors.Is(err, nats.ErrTimeout) {
		return nil, false
	}
	if err != nil {
		h.b.T.Fatal(err)
	}
	return m.Data, true
}

// RequestsStored is how many requests lie in the stream, and their bytes.
func (b *Bus) RequestsStored() (n, bytes uint64) {
	b.T.Helper()
	s, err := b.StateServer().JetStream().Stream(b.T.Context(), "REQUESTS")
	if err != nil {
		b.T.Fatal(err)
	}
	return s.CachedInfo().State.Msgs, s.CachedInfo().State.Bytes
}
