package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/host"
)

// dialTimeout bounds one attempt to connect. When a server comes back, a whole fleet
// connects at once, and the last handshake may take that long: nats.go's default of 2 s
// would give up and begin again, without end (measured with 18,000 machines).
const dialTimeout = 20 * time.Second

const (
	drainTimeout = 10 * time.Second // for handlers, when a connection is closed
	pingInterval = 20 * time.Second // between pings that find out whether the server is there
)

// noBuffer makes nats.go refuse what is published while the connection is lost. A buffer
// would send it at some later time, when the caller has long been told of an error.
const noBuffer = -1

// reconnectPauses are left to chance altogether, so that a fleet does not come back at once.
var reconnectPauses = host.Backoff{Min: 250 * time.Millisecond, Max: 30 * time.Second, Jitter: 1}

// Connect connects and waits for the first connection until ctx ends. It returns ErrDenied
// when a server refuses the credentials, and ErrUntrusted when whatever answers at all of
// the URLs is not a server of the environment.
func Connect(ctx context.Context, cfg ConnConfig) (*Conn, error) {
	c, err := newConn(cfg)
	if err != nil {
		return nil, err
	}
	f := &firstTry{conn: c, connected: make(chan struct{}), refused: make(chan error, 1)}
	if c.nats, err = nats.Connect(strings.Join(c.cfg.URLs, ","), f.options()...); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", cfg.where(), translate(err))
	}
	if err = f.wait(ctx); err == nil {
		c.js, err = jetstream.New(c.nats)
	}
	if err != nil {
		c.nats.Close()
		return nil, fmt.Errorf("connect to %s: %w", cfg.where(), err)
	}
	return c, nil
}

// newConn checks what can be checked before anything is sent.
func newConn(cfg ConnConfig) (*Conn, error) {
	var id *Identity
	if cfg.Keyring == nil {
		own, err := cfg.ownKeys()
		if err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
		cfg.Keyring, id = own, own.Identity
	}
	if cfg.Server != nil {
		cfg.URLs = nil // nats.go would ask for TLS if one of them says tls
	} else if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("connect: %w; nothing was sent", err)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Conn{
		cfg: cfg, id: id, closed: make(chan struct{}),
		budgets: newBudgets(time.Now, cfg.ReportEvery),
	}, nil
}

// firstTry is what Connect waits for. nats.go goes on trying for ever (RetryOnFailedConnect),
// also when no later try can succeed; firstTry tells those cases apart. After the first
// connection it has no part in anything.
type firstTry struct {
	conn      *Conn
	once      sync.Once
	connected chan struct{} // closed by once
	refused   chan error    // holds one error: no later try can succeed
	untrusted int           // tries in a row that found no server of the environment; one goroutine of nats.go uses it at a time
}

// wait waits until the first connection stands, or is not to be expected.
func (f *firstTry) wait(ctx context.Context) error {
	select {
	case <-f.connected:
		return nil
	case err := <-f.refused:
		return err
	case <-ctx.Done():
		return errors.Join(ctx.Err(), f.conn.nats.LastError())
	}
}

func (f *firstTry) stands() { f.once.Do(func() { close(f.connected) }) }

// failed is told why a try failed. Credentials that are refused once are refused by every
// server. Another authority at one URL says nothing of the others, so all must be tried.
func (f *firstTry) failed(err error) {
	switch {
	case denied(err):
		err = fmt.Errorf("%w: %w", ErrDenied, err)
	case errors.Is(err, ErrUntrusted):
		f.conn.cfg.Logger.Warn("refused a server", "err", err)
		if f.untrusted++; f.untrusted < len(f.conn.cfg.URLs) {
			return
		}
	default:
		f.untrusted = 0
		return
	}
	select {
	case f.refused <- err:
	default: // Connect knows already, or has returned
	}
}

// options are those of nats.go for a connection that never gives up.
func (f *firstTry) options() []nats.Option {
	c := f.conn
	opts := []nats.Option{
		nats.Name(c.cfg.Name), nats.UserJWT(c.cfg.Keyring.Token, f.sign),
		nats.CustomInboxPrefix(names.InboxPrefix(c.cfg.Keyring.Public())),
		// Two refusals of the same credentials in a row would make nats.go close the
		// connection for good; they may be renewed meanwhile, or let in again.
		nats.MaxReconnects(-1), nats.RetryOnFailedConnect(true), nats.IgnoreAuthErrorAbort(),
		nats.CustomReconnectDelay(reconnectPauses.Pause), nats.Timeout(dialTimeout), nats.DrainTimeout(drainTimeout),
		nats.PingInterval(pingInterval), nats.ReconnectBufSize(noBuffer),
		nats.ConnectHandler(func(*nats.Conn) { f.stands() }),
		nats.ReconnectHandler(func(*nats.Conn) { f.stands(); c.reconnected() }),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { f.failed(err) }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.cfg.Logger.Debug("disconnected from NATS", "err", err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.reported(err) }),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	}
	if c.cfg.Server != nil {
		return append(opts, nats.InProcessServer(c.cfg.Server))
	}
	// Addresses that a server tells of (discovered servers) are not used: the environment's
	// addresses come from the environment. Host names are given to the dialer as they are,
	// because the certificate is for the name.
	return append(opts, nats.SetCustomDialer(dialer{c.cfg.Keyring.Authorities}), nats.SkipHostLookup(), nats.IgnoreDiscoveredServers())
}

// denied says whether a server refused credentials, or lets them in no longer.
func denied(err error) bool {
	return errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) || errors.Is(err, nats.ErrAuthRevoked)
}

// sign signs the nonce with which a server asks for a proof of the key. The same key signs
// requests and reports, and the server chooses the nonce: one that is made like a request would
// be signed as a request. So nothing is signed here but what a NATS server makes: a few
// characters of base64, in which no signed statement fits (see events.PAE).
func (f *firstTry) sign(nonce []byte) ([]byte, error) {
	if !isNonce(nonce) {
		err := fmt.Errorf("%w: it asks for a signature over %d bytes that are no nonce; nothing was signed", ErrUntrusted, len(nonce))
		f.failed(err)
		return nil, err
	}
	return f.conn.cfg.Keyring.Sign(nonce)
}

// maxNonce is how many characters a nonce may have. Servers of NATS make 15.
const maxNonce = 128

func isNonce(b []byte) bool {
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxNonce
}
