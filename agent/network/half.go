package network

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/connection"
	"github.com/jujube-project/jujube/agent/network/confine"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// User is the user that the network half runs as, on a host that has one of that name.
const User = "jujud-net"

// Config is what the agent's side needs.
type Config struct {
	Conf   agent.Conf
	Keys   connection.Keys
	PID    int    // of the agent
	User   string // that the network half runs as
	Debug  bool   // log more
	Logger *slog.Logger
}

// Half is the network half as the agent has it. It is an agent.Bus.
type Half struct {
	cfg     Config
	connect bool // the network half connects by itself, and stays connected

	mu      sync.Mutex
	control *net.UnixConn // to the process that runs; nil: none does
	started chan struct{} // closed, and replaced, when one has started
}

var _ agent.Bus = (*Half)(nil)

// Available says whether the agent, which runs as this process, gives its connection to a
// network half: it is root, and the host has that user. why is for the log where it is not.
func Available(name string) (why string, ok bool) {
	if os.Geteuid() != 0 {
		return "this process is not root", false
	}
	if _, err := confine.Lookup(name); err != nil {
		return err.Error(), false
	}
	return "", true
}

// New starts nothing; see Run.
func New(cfg Config) *Half { return &Half{cfg: cfg, connect: true, started: make(chan struct{})} }

// pauses are between the end of a network half and the start of the next one.
var pauses = host.Backoff{Min: 200 * time.Millisecond, Max: 30 * time.Second}

// settled is how long a network half must run until its end is no failure in a row.
const settled = time.Minute

// Run keeps a network half running until ctx ends.
func (h *Half) Run(ctx context.Context) {
	for failed := 0; ctx.Err() == nil; failed++ {
		began := time.Now()
		err := h.once(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > settled {
			failed = 0
		}
		h.cfg.Logger.Error("the network half ended, and is started again", "err", err)
		_ = pauses.Wait(ctx, failed)
	}
}

// drain is how long a network half may take to send what waits, when it is to end.
const drain = 12 * time.Second

// once runs one network half to its end. The kernel kills it when the thread that started it
// ends, so this goroutine stays on its thread.
func (h *Half) once(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	to, err := confine.Lookup(h.cfg.User)
	if err != nil {
		return err
	}
	control, theirs, err := socketpair()
	if err != nil {
		return err
	}
	defer func() { _ = control.Close() }()
	cmd := exec.CommandContext(ctx, "/proc/self/exe")
	cmd.Args = []string{"jujud", Command, strconv.Itoa(to.ID), strconv.Itoa(to.Group)}
	cmd.Env = []string{} // nothing of the agent's
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stderr, os.Stderr, []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Cancel, cmd.WaitDelay = control.Close, drain
	err = cmd.Start()
	_ = theirs.Close()
	if err != nil {
		return fmt.Errorf("start the network half: %w", err)
	}
	keys, stop, err := h.callOver(ctx, control, h.start())
	if err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	defer stop()
	var serving sync.WaitGroup
	serving.Go(func() { _ = serveKeys(keys, h.cfg.Keys) })
	defer serving.Wait()
	defer stop()
	h.set(control)
	defer h.set(nil)
	return cmd.Wait()
}

func (h *Half) start() question {
	c := h.cfg.Conf
	return question{Do: doKeys, Start: &start{
		Tag: c.Tag, Environment: c.Environment, URLs: c.APIAddresses, PID: h.cfg.PID, Key: h.cfg.Keys.Public(), Connect: h.connect, Debug: h.cfg.Debug,
	}}
}

func (h *Half) set(control *net.UnixConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.control = control
	if control != nil {
		close(h.started)
		h.started = make(chan struct{})
	}
}

var errAway = errors.New("the network half does not run")

// call asks the network half that runs. The call ends with ctx. The caller calls stop.
func (h *Half) call(ctx context.Context, q question) (conn net.Conn, stop func(), err error) {
	h.mu.Lock()
	control := h.control
	h.mu.Unlock()
	if control == nil {
		return nil, nil, errAway
	}
	return h.callOver(ctx, control, q)
}

func (h *Half) callOver(ctx context.Context, control *net.UnixConn, q question) (net.Conn, func(), error) {
	conn, theirs, err := socketpair()
	if err != nil {
		return nil, nil, err
	}
	stop := closing(ctx, conn)
	if err = hand(control, theirs); err == nil {
		err = writeJSON(conn, q)
	}
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("ask the network half: %w", err)
	}
	return conn, stop, nil
}

// ask is a call that has one answer.
func (h *Half) ask(ctx context.Context, patience time.Duration, q question) (a answer, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, stop, err := h.call(ctx, q)
	if err != nil {
		return a, err
	}
	defer stop()
	if err := readJSON(conn, &a); err != nil {
		return answer{}, fmt.Errorf("ask the network half: %w", errors.Join(ctx.Err(), err))
	}
	return a, a.err()
}

// How long the network half may take for an answer. It gives up by itself, sooner.
const (
	quickly   = 5 * time.Second
	reporting = 15 * time.Second
)

// Connected implements agent.Bus.
func (h *Half) Connected() bool {
	a, err := h.ask(context.Background(), quickly, question{Do: doConnected})
	return err == nil && a.Yes
}

// Beat implements agent.Bus.
func (h *Half) Beat(v version.Number, log tree.Head) error {
	_, err := h.ask(context.Background(), quickly, question{Do: doBeat, Version: v, Log: log})
	return err
}

// Report implements agent.Bus.
func (h *Half) Report(ctx context.Context, rec events.Record) (agent.Answer, error) {
	b, err := events.Marshal(rec)
	if err != nil {
		return agent.Refused, err
	}
	a, err := h.ask(ctx, reporting, question{Do: doReport, Record: b})
	if a.Answer < agent.Later || a.Answer > agent.Refused {
		return agent.Later, errors.New("the network half gives no answer to a report")
	}
	return a.Answer, err
}

// Fetch implements agent.Bus. It takes as long as the network half sends.
func (h *Half) Fetch(ctx context.Context, sha256 string, offset int64, w io.Writer) (n int64, err error) {
	conn, stop, err := h.call(ctx, question{Do: doFetch, SHA256: sha256, Offset: offset})
	if err != nil {
		return 0, err
	}
	defer stop()
	for {
		b, err := readFrame(conn)
		if err != nil {
			return n, fmt.Errorf("fetch over the network half: %w", errors.Join(ctx.Err(), err))
		}
		if len(b) == 0 {
			break
		}
		m, err := w.Write(b)
		if n += int64(m); err != nil {
			return n, err
		}
	}
	var a answer
	if err := readJSON(conn, &a); err != nil {
		return n, fmt.Errorf("fetch over the network half: %w", errors.Join(ctx.Err(), err))
	}
	return n, a.err()
}

// Orders implements agent.Bus. When the network half ends, the newest records are read anew by the
// next one.
func (h *Half) Orders(ctx context.Context, f func(events.Record)) error {
	for ctx.Err() == nil {
		h.mu.Lock()
		next := h.started
		h.mu.Unlock()
		if conn, stop, err := h.call(ctx, question{Do: doOrders}); err == nil {
			err = readOrders(conn, f)
			stop()
			h.cfg.Logger.Debug("following orders", "err", err)
		}
		select {
		case <-next:
		case <-time.After(time.Second): // it runs, and ended the call alone
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}

// readOrders reads records: eight bytes of the sequence, and the record.
func readOrders(conn net.Conn, f func(events.Record)) error {
	for {
		b, err := readFrame(conn)
		if err != nil {
			return err
		}
		if len(b) < 8 {
			return errors.New("the network half hands over no record")
		}
		rec, err := events.Unmarshal(b[8:])
		if err != nil {
			return err
		}
		rec.Seq = binary.BigEndian.Uint64(b)
		f(rec)
	}
}

// frameOf is what readOrders reads.
func frameOf(rec events.Record) ([]byte, error) {
	b, err := events.Marshal(rec)
	return bytes.Join([][]byte{binary.BigEndian.AppendUint64(nil, rec.Seq), b}, nil), err
}

// one asks one question of a network half of its own, which then ends.
func one(ctx context.Context, cfg Config, patience time.Duration, q question) (answer, error) {
	ctx, cancel := context.WithCancel(ctx)
	h := New(cfg)
	h.connect = false
	ended := make(chan error, 1)
	started := h.started
	go func() { ended <- h.once(ctx) }()
	defer func() { cancel(); <-ended }()
	select {
	case <-started:
	case err := <-ended:
		ended <- nil
		return answer{}, err
	}
	return h.ask(ctx, patience, q)
}

// Reach connects to the bus with the machine's credentials, and disconnects.
func Reach(ctx context.Context, cfg Config) error {
	_, err := one(ctx, cfg, time.Minute, question{Do: doReach})
	return err
}

// Renew gets the machine new credentials.
func Renew(ctx context.Context, cfg Config) error {
	_, err := one(ctx, cfg, time.Minute, question{Do: doRenew})
	return err
}

// Show shows a join token to a state server (connection.Enrolment.Ask). The host's key stays here.
func Show(ctx context.Context, cfg Config, s connection.Showing) (wire.Enrolled, error) {
	cfg.Keys = hostKey{Signer: s.Key}
	a, err := one(ctx, cfg, 2*time.Minute, question{Do: doEnrol, Token: s.Token, Facts: &s.Facts})
	return a.Enrolled, err
}

// hostKey are the Keys of a host that is not enrolled: it has a key and nothing else.
type hostKey struct {
	events.Signer
	connection.Keys
}

// Public and Sign are the Signer's.
func (k hostKey) Public() string { return k.Signer.Public() }

// Sign implements connection.Keys.
func (k hostKey) Sign(b []byte) ([]byte, error) { return k.Signer.Sign(b) }
