package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
)

// Conn is the connection of one identity. Connect makes it. When it is lost it connects
// again, for ever, after pauses that grow and are left to chance. All its methods may be
// called concurrently; those that need the connection fail while it is lost.
type Conn struct {
	cfg    ConnConfig
	id     *Identity
	nats   *nats.Conn
	js     jetstream.JetStream
	closed chan struct{} // closed when nats is

	budgets *budgets // of those whom this connection hears

	reconnect calls // called after every reconnection
	deaf      calls // called when NATS does not let this identity hear names.SubjectHeard
}

// calls are functions that are called when something happens.
type calls struct {
	mu     sync.Mutex
	number map[int]func()
	next   int // in number
}

// add has f called until stop is called. f must not block.
func (c *calls) add(f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.number == nil {
		c.number = map[int]func(){}
	}
	id := c.next
	c.next++
	c.number[id] = f
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.number, id)
	}
}

// call calls everybody. The lock is not held meanwhile, so that a call may add another one.
func (c *calls) call() {
	c.mu.Lock()
	all := slices.Collect(maps.Values(c.number))
	c.mu.Unlock()
	for _, f := range all {
		f()
	}
}

// reconnected calls everybody who must do something after a reconnection.
func (c *Conn) reconnected() {
	c.reconnect.call()
	if c.cfg.OnConnect != nil {
		c.cfg.OnConnect()
	}
}

// OnReconnect calls f after every reconnection, as long as the connection is there. f must not block.
func (c *Conn) OnReconnect(f func()) { c.reconnect.add(f) }

// reported takes an error that NATS reports outside of any call.
func (c *Conn) reported(err error) {
	if errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), names.SubjectHeard) {
		c.cfg.Logger.Debug("the state server is of a version before", "err", err)
		c.deaf.call()
		return
	}
	c.cfg.Logger.Warn("NATS reports an error", "err", err)
	if c.cfg.OnDenied != nil && denied(err) {
		c.cfg.OnDenied()
	}
}

// Public is the public key of the identity that is connected.
func (c *Conn) Public() string { return c.cfg.Keyring.Public() }

// Identity is the key pair that is connected; nil where a Keyring has it.
func (c *Conn) Identity() *Identity { return c.id }

// JetStream is the connection's JetStream API. It is for the packages below this one, which
// make streams and check them; other packages have a method here for what they may do.
func (c *Conn) JetStream() jetstream.JetStream { return c.js }

// Connected says whether the connection stands at this moment.
func (c *Conn) Connected() bool { return c.nats.IsConnected() }

// Reconnect drops the connection if it stands, and tries to connect at once, without the
// pause that would be due.
func (c *Conn) Reconnect() error { return c.nats.ForceReconnect() }

// Close handles what was received, sends what waits to be sent, and closes the connection.
// It returns when that is done, or after drainTimeout. It is idempotent. A handler of a
// message must not call it: Close waits for handlers.
func (c *Conn) Close() {
	if !c.nats.IsConnected() || c.nats.Drain() != nil {
		c.nats.Close()
	}
	<-c.closed
}

// request sends data to a subject and decodes the answer, which is JSON.
func (c *Conn) request(ctx context.Context, subject string, data []byte, answer any) error {
	m, err := c.nats.RequestWithContext(ctx, subject, data)
	if err != nil {
		return translate(err)
	}
	return json.Unmarshal(m.Data, answer)
}

// answer answers a request in JSON, if whoever sent it waits for an answer.
func (c *Conn) answer(m *nats.Msg, v any) {
	if m.Reply == "" {
		return
	}
	data, err := json.Marshal(v)
	if err == nil {
		err = m.Respond(data)
	}
	if err != nil {
		c.cfg.Logger.Debug("answering", "subject", m.Subject, "err", err)
	}
}

// garbage counts a message that is not handled.
func (c *Conn) garbage(subject string, err error) {
	c.cfg.Logger.Debug("skipped a message", "subject", subject, "err", err)
	if c.cfg.OnGarbage != nil {
		c.cfg.OnGarbage(subject, err)
	}
}

// subscribe handles every message of a subject, one after another, until stop is called. A
// message of more than limit bytes is counted as garbage and not handled. When more bytes
// wait than limits.PendingBytes, NATS drops what comes then.
func (c *Conn) subscribe(subject string, limit int, f func(*nats.Msg)) (stop func(), err error) {
	sub, err := c.nats.Subscribe(subject, func(m *nats.Msg) {
		if len(m.Data) > limit {
			c.garbage(m.Subject, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, len(m.Data), limit))
			return
		}
		f(m)
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, translate(err))
	}
	if err := sub.SetPendingLimits(-1, limits.PendingBytes); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
	}
	// Only after a round trip it is certain that the server knows the subscription.
	if err := c.nats.Flush(); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, translate(err))
	}
	return func() { _ = sub.Unsubscribe() }, nil
}
