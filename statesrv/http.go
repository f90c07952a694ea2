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

	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/plain"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// httpTimeout bounds every HTTP request: headers, answer and look at the state.
const httpTimeout = 10 * time.Second

// pages is what is served over HTTP, to be read only.
type pages struct {
	s        *Server
	open     bool            // this host only: no token is asked for
	hosts    map[string]bool // names under which it may be asked
	sessions *sessions
	busy     chan struct{} // one place for each request that is answered at the moment
}

// serveHTTP serves the pages until stop. Beyond this host it is HTTPS, with a certificate of
// the environment's authority.
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

// loopbackByDefault: an address without a host is this host's alone.
func loopbackByDefault(addr string) string {
	if host, port, err := net.SplitHostPort(addr); err == nil && host == "" {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr
}

func (s *Server) newPages(addr net.Addr) *pages {
	p := &pages{s: s, hosts: map[string]bool{"localhost": true}, sessions: &sessions{now: s.cfg.Now}, busy: make(chan struct{}, maxHTTPRequests)}
	if tcp, ok := addr.(*net.TCPAddr); ok {
		p.open = tcp.IP.IsLoopback()
	}
	for _, name := range s.httpNames(addr) {
		p.hosts[name] = true
	}
	return p
}

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

// look runs f on committed state in the present term, or fails when there is none.
func (s *Server) look(ctx context.Context, f func(*term, *projections.State)) error {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	t := s.leading.Load()
	if t == nil {
		return writer.ErrStopped
	}
	return t.writer.Look(ctx, func(st *projections.State) { f(t, st) })
}

// healthz is 200 only while this server leads and the log answers. Everybody may ask, so
// it tells no more than that.
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
	_, _ = fmt.Fprintf(w, "ok, log position %d\n", seq)
}

func (p *pages) status(w http.ResponseWriter, r *http.Request) {
	answer, err := p.s.statusNow(r.Context())
	if err != nil {
		p.unavailable(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(plain.JSON(answer))
}

func (s *Server) statusNow(ctx context.Context) (answer wire.Raw, err error) {
	var failed error
	err = s.look(ctx, func(t *term, st *projections.State) { answer, failed = t.queries.statusJSON(st) })
	return answer, errors.Join(err, failed)
}

func (p *pages) unavailable(w http.ResponseWriter, err error) {
	http.Error(w, plain.Text(err.Error()), http.StatusServiceUnavailable)
}
