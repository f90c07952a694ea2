package bus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
)

// InProcess is a NATS server within this process. A *server.Server (package bus/server) is one.
type InProcess interface {
	InProcessConn() (net.Conn, error)
}

// ConnConfig says who connects where.
type ConnConfig struct {
	URLs        []string  // tls://HOST:PORT
	Authorities string    // file with the certificates of the authorities that are believed
	Server      InProcess // set: connect within the process instead, without TCP and TLS
	Credentials Credentials
	// CredentialsFile, if it is not empty, is read at every connection: credentials of the
	// same key that were renewed there are used from then on.
	CredentialsFile string
	Name            string       // shown in NATS monitoring
	Logger          *slog.Logger // nil: silent
	// OnConnect is called after every connection but the first; it must not block.
	OnConnect func()
	// OnDenied is called whenever the server refuses the credentials; it must not block.
	OnDenied func()
	// ReportEvery is how soon a machine is heard again that has said as much at once as it
	// may; 0: limits.ReportEvery. A state server hears, an agent does not.
	ReportEvery time.Duration
	// OnGarbage is told of every message that was skipped because it could not be
	// what its subject carries. It must not block.
	OnGarbage func(subject string, err error)
}

// Conn is one identity's connection. It reconnects for ever, with jitter, and all its
// methods may be called concurrently.
type Conn struct {
	cfg  ConnConfig
	id   *Identity
	nats *nats.Conn
	js   jetstream.JetStream

	rates *rates // of the machines that this connection hears

	mu        sync.Mutex
	reconnect map[int]func() // called after every reconnection, by registration
	nextID    int
}

// Reconnection: at once at first, then slower, and never all at the same moment.
const (
	dialTimeout   = 20 * time.Second
	drainTimeout  = 10 * time.Second
	pingInterval  = 20 * time.Second
	reconnectSize = -1 // bytes buffered while away: none, so nothing is sent late and unasked
)

// reconnectPauses are left to chance altogether, so that a fleet does not come back at once.
var reconnectPauses = host.Backoff{Min: 250 * time.Millisecond, Max: 30 * time.Second, Jitter: 1}

// Connect connects and waits for the first connection until ctx ends. It returns
// ErrDenied when the server does not know the credentials, and ErrUntrusted when all that
// answer are not the environment's servers.
func Connect(ctx context.Context, cfg ConnConfig) (*Conn, error) {
	if cfg.CredentialsFile != "" {
		var err error
		if cfg.Credentials, err = LoadCredentials(cfg.CredentialsFile); err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
	}
	id, err := cfg.Credentials.Identity()
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if cfg.Server != nil {
		cfg.URLs = nil // one that says tls would ask for TLS
	} else if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("connect: %w; nothing was sent", err)
	}
	c := &Conn{cfg: cfg, id: id, rates: newRates(time.Now, cmp.Or(cfg.ReportEvery, limits.ReportEvery)), reconnect: map[int]func(){}}
	if c.cfg.Logger == nil {
		c.cfg.Logger = slog.New(slog.DiscardHandler)
	}
	first := make(chan struct{})
	refused := make(chan error, 1)
	c.nats, err = nats.Connect(strings.Join(cfg.URLs, ","), c.options(first, refused)...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cfg.where(), translate(err))
	}
	select {
	case <-first:
	case err := <-refused:
		c.nats.Close()
		return nil, fmt.Errorf("connect to %s: %w", cfg.where(), err)
	case <-ctx.Done():
		last := c.nats.LastError()
		c.nats.Close()
		return nil, fmt.Errorf("connect to %s: %w", cfg.where(), errors.Join(ctx.Err(), last))
	}
	c.js, err = jetstream.New(c.nats)
	if err != nil {
		c.nats.Close()
		return nil, fmt.Errorf("connect to %s: %w", cfg.where(), err)
	}
	return c, nil
}

// check refuses what cannot become a connection by TLS.
func (cfg ConnConfig) check() error {
	if err := checkURLs(cfg.URLs); err != nil {
		return err
	}
	_, err := PinnedAuthorities(cfg.Authorities)
	return err
}

func (cfg ConnConfig) where() string {
	if cfg.Server != nil {
		return "the NATS server in this process"
	}
	return strings.Join(cfg.URLs, ", ")
}

func (c *Conn) options(first chan struct{}, refused chan error) []nats.Option {
	var once sync.Once
	untrusted := 0
	opts := []nats.Option{
		nats.Name(c.cfg.Name), nats.UserJWT(c.token, c.id.Sign),
		nats.CustomInboxPrefix(names.InboxPrefix(c.id.Public())),
		nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.IgnoreAuthErrorAbort(),
		nats.CustomReconnectDelay(reconnectPauses.Pause), nats.Timeout(dialTimeout), nats.DrainTimeout(drainTimeout),
		nats.PingInterval(pingInterval), nats.ReconnectBufSize(reconnectSize),
		nats.ConnectHandler(func(*nats.Conn) { once.Do(func() { close(first) }) }),
		nats.ReconnectHandler(func(*nats.Conn) {
			once.Do(func() { close(first) })
			c.reconnected()
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.cfg.Logger.Debug("disconnected from NATS", "err", err) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			c.cfg.Logger.Warn("NATS reports an error", "err", err)
			if c.cfg.OnDenied != nil && denied(err) {
				c.cfg.OnDenied()
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			switch {
			case denied(err):
				err = fmt.Errorf("%w: %w", ErrDenied, err)
			case errors.Is(err, ErrUntrusted):
				c.cfg.Logger.Warn("refused a server", "err", err)
				if untrusted++; untrusted < len(c.cfg.URLs) {
					return
				}
			default:
				untrusted = 0
				return
			}
			select {
			case refused <- err:
			default:
			}
		}),
	}
	if c.cfg.Server != nil {
		return append(opts, nats.InProcessServer(c.cfg.Server))
	}
	return append(opts, nats.SetCustomDialer(dialer{c.cfg.Authorities}), nats.SkipHostLookup(), nats.IgnoreDiscoveredServers())
}

// denied says whether a server refused credentials, or let them in no longer.
func denied(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked)
}

// token is the JWT of the newest credentials of this connection's key.
func (c *Conn) token() (string, error) {
	if c.cfg.CredentialsFile == "" {
		return c.cfg.Credentials.JWT, nil
	}
	creds, err := LoadCredentials(c.cfg.CredentialsFile)
	if err != nil {
		return "", err
	}
	id, err := creds.Identity()
	if err != nil {
		return "", err
	}
	if id.Public() != c.id.Public() {
		return "", fmt.Errorf("read credentials %s: they are of another key now", c.cfg.CredentialsFile)
	}
	return creds.JWT, nil
}

func (c *Conn) reconnected() {
	c.mu.Lock()
	calls := make([]func(), 0, len(c.reconnect))
	for _, f := range c.reconnect {
		calls = append(calls, f)
	}
	c.mu.Unlock()
	for _, f := range calls {
		f()
	}
	if c.cfg.OnConnect != nil {
		c.cfg.OnConnect()
	}
}

// onReconnect calls f after every reconnection until the returned function is called.
func (c *Conn) onReconnect(f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.nextID
	c.nextID++
	c.reconnect[id] = f
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.reconnect, id)
	}
}

// Public is the public key of the identity that is connected.
func (c *Conn) Public() string { return c.id.Public() }

// JetStream is the connection's JetStream API. It is for the packages below this one, which
// make streams and check them; other packages have a method here for what they may do.
func (c *Conn) JetStream() jetstream.JetStream { return c.js }

// Identity is the key pair that is connected.
func (c *Conn) Identity() *Identity { return c.id }

// Connected says whether the connection stands at this moment.
func (c *Conn) Connected() bool { return c.nats.IsConnected() }

// Reconnect ends the wait for the next try to connect.
func (c *Conn) Reconnect() error { return c.nats.ForceReconnect() }

// Close lets what was received be handled, sends what is waiting, and closes. It is
// idempotent.
func (c *Conn) Close() {
	closed := make(chan struct{})
	c.nats.SetClosedHandler(func(*nats.Conn) { close(closed) })
	if c.nats.IsClosed() || !c.nats.IsConnected() || c.nats.Drain() != nil {
		c.nats.Close()
		return
	}
	<-closed
}

func (c *Conn) garbage(subject string, err error) {
	c.cfg.Logger.Debug("skipped a message", "subject", subject, "err", err)
	if c.cfg.OnGarbage != nil {
		c.cfg.OnGarbage(subject, err)
	}
}

// subscribe handles every message of a subject, one after another, until stop is called.
// What is larger than limit is counted as garbage and not handled.
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
	if err := c.nats.Flush(); err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", subject, translate(err))
	}
	return func() { _ = sub.Unsubscribe() }, nil
}
