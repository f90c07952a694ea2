package statesrv

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// Server is one state server. New starts nothing; Run does everything.
type Server struct {
	cfg      Config
	log      events.Log
	writer   *writer
	metrics  *metrics
	presence *presence
	tools    *toolbox
	uploads  *uploads
	ctx      context.Context // of the present term as leader
	ready    chan struct{}
	once     sync.Once
	httpAddr string

	leading atomic.Pointer[writer] // the writer of this term, for HTTP; nil between terms

	status     cachedStatus // the writer's goroutine only
	snapshotAt uint64       // likewise
}

// Times that no operator needs to know.
const (
	defaultLease  = 6 * time.Second
	tickEvery     = time.Second
	sourceTimeout = 30 * time.Second
)

// New makes a server from cfg.
func New(cfg Config) (*Server, error) {
	if cfg.Bus == nil || cfg.Trust == nil || cfg.Now == nil || cfg.NewID == nil || cfg.Logger == nil || cfg.Dir == "" {
		return nil, errors.New("make a state server: its configuration is incomplete")
	}
	if cfg.LeaseTTL == 0 {
		cfg.LeaseTTL = defaultLease
	}
	s := &Server{cfg: cfg, log: cfg.Bus.Log(), metrics: newMetrics(), ready: make(chan struct{})}
	return s, nil
}

// Ready is closed when the server first leads and serves.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Garbage counts a message that package bus skipped.
func (s *Server) Garbage(subject string) { s.metrics.garbage(firstToken(subject)) }

func firstToken(subject string) string {
	for i, c := range subject {
		if c == '.' {
			return subject[:i]
		}
	}
	return subject
}

// Run leads whenever it holds the lease, until ctx ends. It returns an error that a
// restart would not cure, such as the log of another environment.
func (s *Server) Run(ctx context.Context) error {
	stop, err := s.serveHTTP(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for ctx.Err() == nil {
		err := s.cfg.Bus.Lead(ctx, s.cfg.Name, s.cfg.LeaseTTL, s.lead)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, events.ErrConflict):
			s.cfg.Logger.Warn("another state server wrote; stepping down", "err", err)
		case err != nil:
			return err
		}
		if err := wait(ctx, retryLog); err != nil {
			return nil
		}
	}
	return nil
}

// lead is one term: read the log, serve, write, until ctx ends.
func (s *Server) lead(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctx = ctx
	if err := s.begin(ctx); err != nil {
		return err
	}
	stop, err := s.serve(ctx)
	if err != nil {
		return err
	}
	var background sync.WaitGroup
	background.Go(func() { s.tools.run(ctx) })
	background.Go(func() { s.tick(ctx) })
	background.Go(func() { s.judgeRequests(ctx) })
	s.leading.Store(s.writer)
	s.once.Do(func() { close(s.ready) })
	err = s.writer.run(ctx)
	s.leading.Store(nil)
	cancel()
	stop()
	background.Wait()
	if err == nil {
		err = s.writeSnapshot(s.writer.state)
	}
	return err
}

// begin reads the state and opens an empty log.
func (s *Server) begin(ctx context.Context) error {
	st, err := s.load(ctx)
	if err != nil {
		return err
	}
	s.presence = newPresence(s.cfg.Now())
	s.snapshotAt, s.status = st.Seq, cachedStatus{}
	w := &writer{
		log: s.log, queue: make(chan change, queueLength), state: st, plan: s.planUpgrade, stored: s.afterCommit,
		newID: s.cfg.NewID, now: s.cfg.Now, actor: s.cfg.Name, metrics: s.metrics, logger: s.cfg.Logger,
	}
	s.writer = w
	s.tools = newToolbox(s.cfg.Bus.Tools(), w.submitWait, s.cfg.Logger)
	if s.uploads, err = newUploads(ctx, s); err != nil {
		return err
	}
	s.tools.configure(st, s.cfg.ToolsSource)
	if st.Seq > 0 {
		return nil
	}
	return w.commit(ctx, []change{{decide: s.genesis}})
}

// genesis makes the environment and machine 0.
func (s *Server) genesis(d *draft) error {
	g := s.cfg.Genesis
	created, err := d.add(s.cfg.Name, "", "", &events.EnvironmentCreated{
		UUID: s.cfg.Environment, Name: g.Name, AgentVersion: g.AgentVersion, Operators: g.Operators,
	})
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	_, err = d.add(s.cfg.Name, created.ID, "", &events.MachineEnrolled{
		Machine: "0", Key: g.Machine.Key, Hostname: g.Machine.Hostname, Version: g.Machine.Version, StateServer: true,
	})
	return err
}

// serve takes what comes over the bus.
func (s *Server) serve(ctx context.Context) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, f := range stops {
			f()
		}
	}
	for _, start := range []func() (func(), error){
		func() (func(), error) { return s.cfg.Bus.ServeReports(s.onReport) },
		func() (func(), error) { return s.cfg.Bus.ServeBeats(s.onBeat) },
		func() (func(), error) { return s.cfg.Bus.ServeEnrol(s.onEnrol) },
		func() (func(), error) { return s.cfg.Bus.ServeQueries(s.onQuery) },
		func() (func(), error) { return s.cfg.Bus.ServeUploads(s.uploads.onPiece) },
	} {
		f, err := start()
		if err != nil {
			stop()
			return nil, err
		}
		stops = append(stops, f)
	}
	return stop, nil
}

func (s *Server) onBeat(tag string, _ bus.Beat) {
	if id, ok := machineOf(tag); ok {
		s.presence.heard(id, s.cfg.Now())
	}
}

func machineOf(tag string) (id string, ok bool) {
	const prefix = "machine-"
	if len(tag) <= len(prefix) || tag[:len(prefix)] != prefix {
		return "", false
	}
	return tag[len(prefix):], events.IsMachine(tag[len(prefix):])
}

// judgeRequests hands REQUESTS to the writer, in order, from where the log says.
func (s *Server) judgeRequests(ctx context.Context) {
	from := make(chan uint64, 1)
	if s.writer.submitWait(ctx, change{view: func(st *projections.State) { from <- st.RequestsSeq + 1 }, done: func(uint64, error) { from <- 0 }}) != nil {
		return
	}
	err := s.cfg.Bus.Requests(ctx, <-from, func(r bus.Request) {
		_ = s.writer.submitWait(ctx, change{decide: func(d *draft) error { return s.decideRequest(d, r) }})
	})
	if ctx.Err() == nil {
		s.cfg.Logger.Error("reading requests", "err", err)
	}
}

// tick lets time pass: silence, deadlines, and whatever else waits for it.
func (s *Server) tick(ctx context.Context) {
	t := time.NewTicker(tickEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			_ = s.writer.submitWait(ctx, change{decide: func(d *draft) error {
				return errors.Join(s.presence.decide(d), s.decideTimeouts(d))
			}})
		}
	}
}
