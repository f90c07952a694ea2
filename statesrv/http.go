package statesrv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/jujube-project/jujube/projections"
)

// httpTimeout bounds every HTTP request: headers, answer and look at the state.
const httpTimeout = 10 * time.Second

// serveHTTP serves /healthz, /metrics and /status, read-only, until ctx ends.
func (s *Server) serveHTTP(ctx context.Context) (stop func(), err error) {
	if s.cfg.HTTPAddr == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", s.cfg.HTTPAddr)
	if err != nil {
		return nil, fmt.Errorf("serve HTTP: %w; nothing else was started; choose another address in server.yaml (http:)", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /status", s.httpStatus)
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.metrics.registry, promhttp.HandlerOpts{}))
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: httpTimeout, WriteTimeout: 3 * httpTimeout, MaxHeaderBytes: 16 << 10}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.cfg.Logger.Error("serving HTTP", "err", err)
		}
	}()
	s.cfg.Logger.Info("serving HTTP", "addr", l.Addr().String())
	s.httpAddr = l.Addr().String()
	return func() { _ = srv.Close(); <-done }, nil
}

// look runs f on committed state in the present term, or fails when there is none.
func (s *Server) look(ctx context.Context, f func(*term, *projections.State)) error {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	t := s.leading.Load()
	if t == nil {
		return errStopped
	}
	return t.writer.look(ctx, func(st *projections.State) { f(t, st) })
}

// healthz is 200 only while this server leads and the log answers.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	var seq uint64
	err := s.look(r.Context(), func(_ *term, st *projections.State) { seq = st.Seq })
	if err == nil {
		_, err = s.cfg.Bus.Log().Last(r.Context())
	}
	if err != nil {
		http.Error(w, "not leading, or the log does not answer: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintf(w, "ok, log position %d\n", seq)
}

func (s *Server) httpStatus(w http.ResponseWriter, r *http.Request) {
	var answer json.RawMessage
	var failed error
	err := s.look(r.Context(), func(t *term, st *projections.State) { answer, failed = t.statusJSON(st) })
	if err = errors.Join(err, failed); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer)
}
