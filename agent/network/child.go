package network

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/connection"
	"github.com/jujube-project/jujube/agent/network/confine"
	"github.com/jujube-project/jujube/events"
)

// Command is the command of jujud that is a network half: `jujud network UID GID`. Only the agent
// starts it.
const Command = "network"

// fdControl is the socket over which the agent hands over the socket of each call.
const fdControl = 3

// Be becomes the network half, and is it until the agent is gone. It starts as root, and gives
// that up before it reads anything.
func Be(args []string, newID func() string) error {
	if len(args) != 2 {
		return errors.New("this command is started by the agent only")
	}
	user, err := strconv.Atoi(args[0])
	group, errGroup := strconv.Atoi(args[1])
	if err := errors.Join(err, errGroup); err != nil || user == 0 || group == 0 {
		return errors.Join(errors.New("this command is started by the agent only"), err)
	}
	control, err := connOf(os.NewFile(fdControl, "control"))
	if err != nil {
		return fmt.Errorf("%w; this command is started by the agent only", err)
	}
	rest, err := confine.Become(confine.User{ID: user, Group: group})
	if err != nil {
		return err
	}
	if rest != nil {
		slog.Warn("the network half is confined by its user alone", "err", rest)
	}
	return serve(control, newID)
}

// serving is one network half.
type serving struct {
	cfg  connection.Config
	conn *connection.Connection
}

// serve answers the agent's calls until it is gone. The first one says what to be.
func serve(control *net.UnixConn, newID func() string) error {
	first, err := take(control)
	if err != nil {
		return err
	}
	var q question
	if err := readJSON(first, &q); err != nil || q.Do != doKeys || q.Start == nil {
		return errors.Join(errors.New("the agent does not say what to be"), err)
	}
	level := slog.LevelInfo
	if q.Start.Debug {
		level = slog.LevelDebug
	}
	s := &serving{cfg: connection.Config{
		Conf: agent.Conf{Tag: q.Start.Tag, Environment: q.Start.Environment, APIAddresses: q.Start.URLs},
		Keys: &remoteKeys{public: q.Start.Key, conn: first}, PID: q.Start.PID, NewID: newID,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}}
	s.conn = connection.New(s.cfg)
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	if q.Start.Connect {
		running.Go(func() { s.conn.Run(ctx) })
	}
	for {
		call, err := take(control)
		if err != nil { // the agent is gone, or wants this to end
			break
		}
		go s.answer(ctx, call)
	}
	end()
	running.Wait()
	return nil
}

// readTime is how long the agent may take to ask, once it has handed a socket over.
const readTime = 10 * time.Second

// answer answers one call. It ends when the agent closes its end.
func (s *serving) answer(ctx context.Context, call *net.UnixConn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { _ = call.Close() }()
	var q question
	if call.SetReadDeadline(time.Now().Add(readTime)) != nil || readJSON(call, &q) != nil || call.SetReadDeadline(time.Time{}) != nil {
		return
	}
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, call) // the agent says no more; it ends when its end is closed
	}()
	if q.Do == doOrders {
		err := s.conn.Orders(ctx, func(rec events.Record) { handover(call, rec, cancel) })
		s.cfg.Logger.Debug("handing over orders", "err", err)
		return
	}
	a, err := s.do(ctx, call, q)
	if writeJSON(call, a.failed(err)) != nil {
		return // the agent does not want the answer any more
	}
}

func handover(call net.Conn, rec events.Record, cancel func()) {
	b, err := frameOf(rec)
	if err == nil {
		err = writeFrame(call, b)
	}
	if err != nil {
		cancel()
	}
}

func (s *serving) do(ctx context.Context, call net.Conn, q question) (a answer, err error) {
	switch q.Do {
	case doConnected:
		a.Yes = s.conn.Connected()
	case doBeat:
		err = s.conn.Beat(q.Version, q.Log)
	case doReport:
		var rec events.Record
		if rec, err = events.Unmarshal(q.Record); err == nil {
			a.Answer, err = s.conn.Report(ctx, rec)
		}
	case doFetch:
		if a.N, err = s.conn.Fetch(ctx, q.SHA256, q.Offset, chunks{call}); ctx.Err() == nil {
			err = errors.Join(err, writeFrame(call, nil)) // no chunk is empty: the answer follows
		}
	case doReach:
		err = connection.Reach(ctx, s.cfg)
	case doRenew:
		_, err = connection.Renew(ctx, s.cfg)
	case doEnrol:
		if q.Facts == nil {
			return a, errors.New("the agent says nothing of the host")
		}
		a.Enrolled, err = connection.Show(ctx, connection.Showing{Token: q.Token, Key: s.cfg.Keys, Facts: *q.Facts, Logger: s.cfg.Logger})
	default:
		err = fmt.Errorf("the agent asks for %.20q", q.Do)
	}
	return a, err
}

// chunks writes an archive in frames.
type chunks struct{ to io.Writer }

func (c chunks) Write(b []byte) (n int, err error) {
	for len(b) > 0 && err == nil {
		m := min(len(b), chunk)
		if err = writeFrame(c.to, b[:m]); err == nil {
			b, n = b[m:], n+m
		}
	}
	return n, err
}
