package statesrv

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
)

// Server is one state server. New starts nothing; Run does everything.
type Server struct {
	cfg     Config
	log     events.Log
	logs    tree.Verifiers // verify checkpoints, by the log keys of all state servers
	metrics *metrics
	room    *room
	ready   chan struct{}
	once    sync.Once            // closes ready
	leading atomic.Pointer[term] // nil between terms

	httpAddr string // where HTTP is served, once Ready
}

// Times that no operator needs to know.
const (
	defaultLease  = 6 * time.Second
	tickEvery     = time.Second
	sourceTimeout = 14 * time.Second // two of it are less than a client waits for an answer
	retryLead     = time.Second
)

// New makes a server from cfg.
func New(cfg Config) (*Server, error) {
	given := cfg.Bus != nil && cfg.System != nil && cfg.Accounts != nil && cfg.LogKey != nil && cfg.Site != nil &&
		cfg.Now != nil && cfg.NewID != nil && cfg.Logger != nil && cfg.Dir != "" && (cfg.StoreDir == "" || cfg.Reopen != nil)
	if !given {
		return nil, errors.New("make a state server: its configuration is incomplete")
	}
	if cfg.LeaseTTL == 0 {
		cfg.LeaseTTL = defaultLease
	}
	s := &Server{cfg: cfg, log: cfg.Bus.Log(), room: newRoom(&cfg), ready: make(chan struct{})}
	s.metrics = newMetrics(s.waiting, s.room.isFull)
	var err error
	s.logs, err = tree.NewVerifiers(cfg.Environment, append([]string{cfg.LogKey.Public()}, cfg.Logs...))
	return s, err
}

// waiting is how many changes wait in the writer's queue; 0 between terms.
func (s *Server) waiting() float64 {
	if t := s.leading.Load(); t != nil {
		return float64(t.writer.Waiting())
	}
	return 0
}

// Ready is closed when the server first leads and serves.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Garbage counts a message that package bus skipped.
func (s *Server) Garbage(subject string) {
	what, _, _ := strings.Cut(subject, ".")
	s.metrics.garbage(what)
}

// errUnusable marks an error that neither waiting nor a restart cures, such as the log of another
// environment. Run ends with it.
var errUnusable = errors.New("this state server cannot work with that log")

// Run leads whenever it holds the lease, until ctx ends. It returns an error only where
// trying again would not help.
func (s *Server) Run(ctx context.Context) error {
	stop, err := s.serveHTTP(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for ctx.Err() == nil {
		err := s.cfg.Bus.Lead(ctx, s.cfg.Name, s.cfg.LeaseTTL, s.room.isFull, s.lead)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errUnusable):
			return err
		case errors.Is(err, events.ErrConflict):
			s.cfg.Logger.Warn("another state server wrote; stepping down", "err", err)
		case err != nil:
			s.cfg.Logger.Warn("not leading any more; trying again", "err", err)
			if errors.Is(err, context.DeadlineExceeded) && s.room.left() == nil {
				s.room.mend()
			}
		}
		if err := host.Wait(ctx, retryLead); err != nil {
			return nil
		}
	}
	return nil
}

// lead is one term: it reads the log, serves, and writes, until ctx ends. The order of the ends is that of
// the defers, from the last: nobody is served any more, the context ends, every goroutine of the term
// has ended, the tree is closed.
func (s *Server) lead(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := tellRules(ctx, s.cfg); err != nil {
		s.cfg.Logger.Warn("telling NATS what roles may do", "err", err)
	}
	t, err := s.newTerm(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = t.tree.Close() }()
	defer t.end()
	defer cancel() // before end, which waits for what runs in the term
	stop, err := t.serve()
	if err != nil {
		return err
	}
	defer stop()
	t.work()
	s.leading.Store(t)
	defer s.leading.Store(nil)
	s.once.Do(func() { close(s.ready) })
	if err := t.writer.Run(ctx); err != nil {
		return err
	}
	return errors.Join(t.tree.Sign(t.cfg.Now()), t.snapshots.write(t.writer.State()))
}
