package statesrv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/plain"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// httpTimeout is how long a client may take to send a request, and the writer to show the state.
// The answer may take three times as long.
const httpTimeout = 10 * time.Second

// pages serves the HTTP pages. They can only be read: no request changes anything.
type pages struct {
	s        *Server
	open     bool            // served on the loopback address alone, so that no token is needed
	hosts    map[string]bool // names that a Host header may have
	sessions *sessions
	slots    chan struct{} // holds a value for each request that is being answered; its capacity is the limit
}

// serveHTTP serves the pages until stop is called, which waits for the end. On an address that
// other hosts can reach it speaks HTTPS only, with a certificate that the environment's authority
// signs.
func (s *Server) serveHTTP(ctx context.Context) (stop func(), err error) {
	if s.cfg.HTTPAddr == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", loopbackByDefault(s.cfg.HTTPAddr))
	if err != nil {
		return nil, fmt.Errorf("serve HTTP: %w; nothing else was started; choose another address in server.yaml (http:)", err)
	}
	p := s.newPages(l.Addr())
	srv := &http.Server{
		Handler: p.guarded(), ReadTimeout: httpTimeout, WriteTimeout: 3 * httpTimeout, IdleTimeout: 6 * httpTimeout,
		MaxHeaderBytes: maxHTTPHeader, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	serve := func() error { return srv.Serve(l) }
	if !p.open {
		if srv.TLSConfig, err = s.cfg.Accounts.HTTPSConfig(s.httpNames(l.Addr()), s.cfg.Now); err != nil {
			return nil, errors.Join(err, l.Close())
		}
		serve = func() error { return srv.ServeTLS(l, "", "") }
		s.cfg.Logger.Warn("the HTTP pages can be reached from other hosts: every one but /healthz needs a token of juju http-token")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Logger.Error("serving HTTP", "err", err)
		}
	}()
	s.cfg.Logger.Info("serving HTTP", "addr", l.Addr().String(), "tls", !p.open)
	s.httpAddr = l.Addr().String()
	return func() { _ = srv.Close(); <-done }, nil
}

// loopbackByDefault gives an address without a host the loopback address: pages are served to
// other hosts only where the configuration names one.
func loopbackByDefault(addr string) string {
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

func (s *Server) newPages(addr net.Addr) *pages {
	p := &pages{s: s, hosts: map[string]bool{"localhost": true}, sessions: newSessions(s.cfg.Now), slots: make(chan struct{}, maxHTTPRequests)}
	if tcp, ok := addr.(*net.TCPAddr); ok {
		p.open = tcp.IP.IsLoopback()
	}
	for _, name := range s.httpNames(addr) {
		p.hosts[name] = true
	}
	return p
}

// mux says which page answers which path.
func (p *pages) mux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", p.healthz)
	mux.HandleFunc("GET /status", p.status)
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.s.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /{$}", p.page)
	mux.HandleFunc("GET /enter", p.enter)
	mux.HandleFunc("GET /session", p.session)
	mux.Handle("GET /static/", http.StripPrefix("/static/", http.FileServerFS(static())))
	return mux
}

// look lets f see the committed state of the current term. The error is writer.ErrStopped while
// this server does not lead.
func (s *Server) look(ctx context.Context, f func(*term, *projections.State)) error {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	t := s.leading.Load()
	if t == nil {
		return writer.ErrStopped
	}
	return t.writer.Look(ctx, func(st *projections.State) { f(t, st) })
}

// healthz answers 200 while this server leads, the log can be read and there is room to write, and 503
// otherwise. It needs
// no token, so it tells nothing else.
func (p *pages) healthz(w http.ResponseWriter, r *http.Request) {
	var seq uint64
	err := p.s.look(r.Context(), func(_ *term, st *projections.State) { seq = st.Seq })
	if err == nil {
		_, err = p.s.cfg.Bus.Log().Last(r.Context())
	}
	if err != nil {
		http.Error(w, "not leading, or the log does not answer", http.StatusServiceUnavailable)
		return
	}
	if p.s.room.isFull() {
		http.Error(w, events.CodeDiskFull, http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintf(w, "ok, log position %d\n", seq)
}

// status answers with the JSON that juju status reads.
func (p *pages) status(w http.ResponseWriter, r *http.Request) {
	answer, err := p.s.statusNow(r.Context())
	if err != nil {
		p.unavailable(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(plain.JSON(answer))
}

// statusNow is the status as JSON, from committed state.
func (s *Server) statusNow(ctx context.Context) (answer wire.Raw, err error) {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	t := s.leading.Load()
	if t == nil {
		return nil, writer.ErrStopped
	}
	st, err := t.queries.shows.now(ctx)
	if err != nil {
		return nil, err
	}
	return st.status()
}

// unavailable answers that the state cannot be shown, and why.
func (p *pages) unavailable(w http.ResponseWriter, err error) {
	http.Error(w, plain.Text(err.Error()), http.StatusServiceUnavailable)
}
