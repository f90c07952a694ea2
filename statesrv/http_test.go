package statesrv

import (
	"crypto/ed25519"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

func get(t *testing.T, addr, path string) (code int, body string) {
	t.Helper()
	r, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func httpServer(t *testing.T, b *bustest.Bus, name, addr string) *Server {
	t.Helper()
	signer := testLogKey(t)
	conn := b.StateServer()
	s, err := New(Config{
		Dir: t.TempDir(), Name: name, Environment: bustest.Environment, Bus: conn, System: b.System(), Accounts: b.Accounts,
		LogKey: signer, Site: siteFor(t, conn, "A"),
		HTTPAddr: addr, Now: time.Now, NewID: func() string { return name }, Logger: slog.New(slog.DiscardHandler),
		Genesis: Genesis{
			Settings: map[string]string{"tools-source": settings.NoSource},
			Name:     "test", AgentVersion: testVersion.Number, Operators: []events.Operator{{Name: "alice", Key: "A"}},
			Machine: GenesisMachine{Key: "K", Hostname: "h", Version: testVersion},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// siteFor makes the metadata of an environment of one admin, with that key, and one state
// server.
func siteFor(t *testing.T, server *bus.Conn, admin string) *Site {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	operator := events.Operator{Name: "alice", Key: admin, Grants: []events.Grant{{Role: events.RoleAdmin}}}
	site, err := NewSite()
	if err != nil {
		t.Fatal(err)
	}
	roster := events.Roster{Operators: []events.Operator{operator}, StateServers: []string{server.Public()}}
	first, err := tuf.First(roster, nil, key, key, site.Online(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	site.Begin(first.Bundle())
	return site
}

func TestHTTP(t *testing.T) {
	b := bustest.Start(t)
	s := httpServer(t, b, "state-server-0", "127.0.0.1:0")
	go func() { _ = s.Run(t.Context()) }()
	<-s.Ready()
	s.Garbage("report.machine-1")
	for path, want := range map[string]string{
		"/healthz": "ok, log position ", "/status": `"environment"`,
		"/metrics": `jujube_garbage_skipped_total{subject="report"} 1`,
	} {
		if code, body := get(t, s.httpAddr, path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	for _, metric := range []string{
		"jujube_records_appended_total 5", "jujube_queue_length ", "jujube_batch_records_count 1", `jujube_machines{state="alive"} 1`,
		"jujube_log_position 5", `jujube_log_unusable_records{why="disbelieved"} 0`,
	} {
		if _, body := get(t, s.httpAddr, "/metrics"); !strings.Contains(body, metric) {
			t.Errorf("/metrics lacks %q:\n%s", metric, body)
		}
	}
	if code, _ := get(t, s.httpAddr, "/nothing"); code != http.StatusNotFound {
		t.Errorf("an unknown path: %d", code)
	}
}

// A state server that does not lead answers that it is unavailable.
func TestHTTPOfOneThatStandsBy(t *testing.T) {
	s := httpServer(t, bustest.Start(t), "state-server-0", "127.0.0.1:0")
	stop, err := s.serveHTTP(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for _, path := range []string{"/healthz", "/status"} {
		if code, body := get(t, s.httpAddr, path); code != http.StatusServiceUnavailable || body == "" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

func TestAnHTTPPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s := httpServer(t, bustest.Start(t), "state-server-0", l.Addr().String())
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "choose another address in server.yaml") {
		t.Fatalf("it ended with %v", err)
	}
}
