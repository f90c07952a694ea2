package connection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// Config says who connects where.
type Config struct {
	Conf   agent.Conf
	NATS   bus.InProcess // the NATS server within this process; nil: it is elsewhere
	Keys   Keys          // nil: those in the files of Conf
	PID    int           // of the agent
	NewID  func() string
	Logger *slog.Logger
}

func (cfg Config) keys() (Keys, error) {
	if cfg.Keys != nil {
		return cfg.Keys, nil
	}
	return OpenFiles(cfg.Conf, cfg.NewID)
}

// Connection is the bus as the agent wants it. Until it stands for the first time, each call
// waits or fails; the agent runs its workloads meanwhile.
type Connection struct {
	cfg      Config
	conn     *bus.Conn     // set before ready is closed, and never changed after
	ready    chan struct{} // closed when the first connection stands
	denied   host.Poke     // the server refused the credentials
	instance string        // of this process; see wire.Beat

	// Only the agent's one loop of heartbeats uses these.
	beats int
	echo  string // what the state server wants to hear in the next greeting
}

var _ agent.Bus = (*Connection)(nil)

// New starts nothing; see Run.
func New(cfg Config) *Connection {
	return &Connection{cfg: cfg, ready: make(chan struct{}), denied: host.NewPoke(), instance: cfg.NewID()}
}

// Run connects, keeps the credentials good until ctx ends, and then disconnects.
func (c *Connection) Run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { c.connect(ctx) })
	loops.Go(func() { c.keepCredentials(ctx) })
	loops.Wait()
	if c.Connected() { // one that is away has nothing to send any more
		c.conn.Close()
	}
}

// connectPause is between tries to connect for the first time. After that the connection
// comes back by itself; see bus.Conn.
var connectPause = host.Backoff{Min: 2 * time.Second, Max: 2 * time.Second}

// connect tries until the first connection stands. Credentials that are refused are renewed
// meanwhile, and the next try reads them from their file.
func (c *Connection) connect(ctx context.Context) {
	_ = connectPause.Retry(ctx, func() error {
		conn, err := c.cfg.connect(ctx, c.denied.Send)
		if err == nil {
			c.conn = conn
			close(c.ready)
			return nil
		}
		c.cfg.Logger.Warn("connecting", "err", err)
		if errors.Is(err, bus.ErrDenied) {
			c.denied.Send()
		}
		return err
	})
}

// connect connects with the machine's credentials.
func (cfg Config) connect(ctx context.Context, denied func()) (*bus.Conn, error) {
	keys, err := cfg.keys()
	if err != nil {
		return nil, err
	}
	return bus.Connect(ctx, bus.ConnConfig{
		URLs: cfg.Conf.APIAddresses, Server: cfg.NATS, Keyring: keys, Name: cfg.Conf.Tag, Logger: cfg.Logger, OnDenied: denied,
	})
}

// Reach connects to the bus with the machine's credentials, and disconnects.
func Reach(ctx context.Context, cfg Config) error {
	conn, err := cfg.connect(ctx, nil)
	if err != nil {
		return err
	}
	conn.Close()
	return nil
}

var errAway = errors.New("not connected yet")

// stood says whether the connection stood once.
func (c *Connection) stood() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}

// Connected says whether the connection stands now.
func (c *Connection) Connected() bool { return c.stood() && c.conn.Connected() }

// Orders waits for the first connection, and then follows the machine's orders.
func (c *Connection) Orders(ctx context.Context, f func(events.Record)) error {
	select {
	case <-c.ready:
		return c.conn.Orders(ctx, c.cfg.Conf.Tag, f)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reportTimeout is how long a state server may take to put a report on disk.
const reportTimeout = 10 * time.Second

// Report sends a report, and says what became of it. Only a report that can never be stored
// is Refused; whatever else goes wrong may go well later.
func (c *Connection) Report(ctx context.Context, rec events.Record) (agent.Answer, error) {
	if !c.Connected() {
		return agent.Later, errAway
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	a, err := c.conn.Report(ctx, c.cfg.Conf.Tag, rec)
	switch {
	case errors.Is(err, bus.ErrTooLarge):
		return agent.Refused, err
	case err != nil:
		return agent.Later, err
	case a.Code == "" || a.Code == wire.ReportDuplicate:
		return agent.Stored, nil
	case a.Code == wire.ReportInvalid:
		return agent.Refused, errors.New(a.Text)
	}
	return agent.Later, fmt.Errorf("%s: %s", a.Code, a.Text)
}

// One of greetEvery heartbeats is answered. The answer holds a nonce that the next greeting
// says back: if another process uses this machine's key, the two hear each other's nonces,
// and the state server finds out.
const (
	greetEvery   = 6
	greetTimeout = 2 * time.Second
)

// Beat says that this process is alive.
func (c *Connection) Beat(v version.Number, log tree.Head) error {
	if !c.Connected() {
		return errAway
	}
	beat := wire.Beat{Version: v.String(), PID: c.cfg.PID, Log: log, Instance: c.instance}
	if c.beats++; c.beats%greetEvery != 1 {
		return c.conn.Beat(c.cfg.Conf.Tag, beat)
	}
	return c.greet(beat)
}

// greet is a heartbeat that is answered. If the state server asks for it, the nonce is said
// back at once and not with the next greeting.
func (c *Connection) greet(beat wire.Beat) error {
	for range 2 {
		ctx, cancel := context.WithTimeout(context.Background(), greetTimeout)
		beat.Echo = c.echo
		e, err := c.conn.Greet(ctx, c.cfg.Conf.Tag, beat)
		cancel()
		if err != nil {
			c.beats = 0 // the next heartbeat greets again
			return err
		}
		if c.echo = e.Nonce; !e.Again {
			return nil
		}
	}
	return nil
}

// Fetch writes an archive from an offset on. An object that ends before it says it does is
// install.ErrSize: it is fetched again from its beginning.
func (c *Connection) Fetch(ctx context.Context, sha256 string, offset int64, w io.Writer) (int64, error) {
	if !c.Connected() {
		return 0, errAway
	}
	n, err := c.conn.Tools().Fetch(ctx, sha256, offset, w)
	if errors.Is(err, bus.ErrDigest) {
		err = fmt.Errorf("%w: %w", install.ErrSize, err)
	}
	return n, err
}
