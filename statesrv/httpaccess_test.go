package statesrv

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
)

// outside is a state server whose pages are served beyond loopback.
type outside struct {
	t      *testing.T
	s      *Server
	alice  *bus.Identity
	client *http.Client
	now    *atomic.Int64 // seconds that the server's clock is ahead
	logged *lockedText
}

func startOutside(t *testing.T) *outside {
	t.Helper()
	b := bustest.Start(t)
	alice, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	o := &outside{t: t, alice: alice, now: &atomic.Int64{}, logged: &lockedText{}}
	signer := testLogKey(t)
	conn := b.StateServer()
	o.s, err = New(Config{
		Dir: t.TempDir(), Name: "state-server-0", Environment: bustest.Environment, Bus: conn, System: b.System(), Accounts: b.Accounts,
		LogKey: signer, Site: siteFor(t, conn, alice.Public()),
		HTTPAddr: "0.0.0.0:0", HTTPNames: []string{"Juju.Example.Com"}, Now: func() time.Time { return time.Now().Add(time.Duration(o.now.Load()) * time.Second) },
		NewID: func() string { return "state-server-0" }, Logger: slog.New(slog.NewTextHandler(o.logged, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Genesis: Genesis{
			Settings: map[string]string{"tools-source": settings.NoSource}, Name: "test", AgentVersion: testVersion.Number,
			Operators: []events.Operator{{Name: "alice", Key: alice.Public()}},
			Machine:   GenesisMachine{Key: "K", Hostname: "<script>alert(1)</script>\u202e\x1b[2J=cmd", Version: testVersion},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = o.s.Run(t.Context()) }()
	<-o.s.Ready()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(b.Accounts.Certificates()))
	o.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "juju.example.com"}}}
	t.Cleanup(o.client.CloseIdleConnections)
	return o
}

// ask asks for a path, with something changed in the request.
func (o *outside) ask(path string, change func(*http.Request)) (*http.Response, string) {
	o.t.Helper()
	_, port, err := net.SplitHostPort(o.s.httpAddr)
	if err != nil {
		o.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(o.t.Context(), http.MethodGet, "https://127.0.0.1:"+port+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	resp, err := o.client.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err = bothOf(err, resp.Body.Close()); err != nil {
		o.t.Fatal(err)
	}
	return resp, string(b)
}

func bothOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// token is a good one with something changed before it is signed.
func (o *outside) token(id *bus.Identity, kind string, change func(*events.HTTPToken)) string {
	o.t.Helper()
	now := time.Now()
	tok := events.HTTPToken{Environment: bustest.Environment, Issued: now, Expires: now.Add(15 * time.Minute)}
	if change != nil {
		change(&tok)
	}
	statement, err := json.Marshal(tok)
	if err != nil {
		o.t.Fatal(err)
	}
	signature, err := id.Sign(events.PAE(kind, statement))
	if err != nil {
		o.t.Fatal(err)
	}
	text, err := events.FormatHTTPToken(events.Signed{Statement: statement, Key: id.Public(), Signature: signature})
	if err != nil {
		o.t.Fatal(err)
	}
	return text
}

func TestHTTPTokens(t *testing.T) {
	o := startOutside(t)
	stranger, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	good := o.token(o.alice, events.HTTPTokenType, nil)
	for name, token := range map[string]string{
		"none":                   "",
		"nonsense":               "jujubehttp1.AAAA",
		"cut short":              good[:len(good)-2],
		"behind the end":         good + "AA",
		"of a stranger":          o.token(stranger, events.HTTPTokenType, nil),
		"of a request":           o.token(o.alice, events.RequestType, nil),
		"of another environment": o.token(o.alice, events.HTTPTokenType, func(t *events.HTTPToken) { t.Environment = "other" }),
		"expired":                o.token(o.alice, events.HTTPTokenType, func(t *events.HTTPToken) { t.Issued, t.Expires = t.Issued.Add(-time.Hour), t.Issued }),
		"for a day":              o.token(o.alice, events.HTTPTokenType, func(t *events.HTTPToken) { t.Expires = t.Issued.Add(24 * time.Hour) }),
		"of to-morrow": o.token(o.alice, events.HTTPTokenType, func(t *events.HTTPToken) {
			t.Issued, t.Expires = t.Issued.Add(24*time.Hour), t.Expires.Add(24*time.Hour)
		}),
		"3 KiB": good + strings.Repeat("A", 3<<10),
	} {
		for _, path := range []string{"/", "/status", "/metrics", "/nothing", "/session"} {
			if resp, body := o.ask(path, bearer(token)); resp.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "juju http-token") {
				t.Errorf("%s with a token %s: %d %s", path, name, resp.StatusCode, body)
			}
		}
	}
	if resp, _ := o.ask("/", nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", resp.StatusCode)
	}
	for path, want := range map[string]int{"/": 200, "/status": 200, "/metrics": 200, "/nothing": 404} {
		if resp, body := o.ask(path, bearer(good)); resp.StatusCode != want {
			t.Errorf("%s with a good token: %d %s", path, resp.StatusCode, body)
		}
	}
	for _, path := range []string{"/healthz", "/enter", "/static/enter.js", "/static/status.css"} {
		if resp, _ := o.ask(path, nil); resp.StatusCode != http.StatusOK {
			t.Errorf("%s without a token: %d", path, resp.StatusCode)
		}
	}
	o.now.Store(3600)
	if resp, _ := o.ask("/status", bearer(good)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("an hour later: %d", resp.StatusCode)
	}
	if strings.Contains(o.logged.String(), good[20:60]) {
		t.Error("the token is in the log")
	}
}

func TestHTTPSessions(t *testing.T) {
	o := startOutside(t)
	token := o.token(o.alice, events.HTTPTokenType, nil)
	resp, _ := o.ask("/session", bearer(token))
	if resp.StatusCode != http.StatusNoContent || len(resp.Cookies()) != 1 {
		t.Fatalf("the exchange: %d %v", resp.StatusCode, resp.Cookies())
	}
	c := resp.Cookies()[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || strings.Contains(token, c.Value) {
		t.Errorf("the cookie is %+v", c)
	}
	if resp, body := o.ask("/", func(r *http.Request) { r.AddCookie(c) }); resp.StatusCode != http.StatusOK {
		t.Errorf("with the cookie: %d %s", resp.StatusCode, body)
	}
	if resp, body := o.ask("/session", bearer(token)); resp.StatusCode != http.StatusForbidden {
		t.Errorf("exchanged again: %d %s", resp.StatusCode, body)
	}
	later := encode([]byte(`{"operator":"` + o.alice.Public() + `","expires":"2999-01-01T00:00:00Z"}`))
	_, proof, _ := strings.Cut(c.Value, ".")
	for _, forged := range []string{c.Value[1:] + "A", later + "." + proof, later + ".", later, "."} {
		other := &http.Cookie{Name: c.Name, Value: forged}
		if resp, _ := o.ask("/", func(r *http.Request) { r.AddCookie(other) }); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("with the cookie %s: %d", forged, resp.StatusCode)
		}
	}
	o.now.Store(1000)
	if resp, _ := o.ask("/", func(r *http.Request) { r.AddCookie(c) }); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after its end: %d", resp.StatusCode)
	}
}

// However many tokens are exchanged, the next one is exchanged, and every session goes on.
func TestB26NobodyUsesUpTheSessionsOfOthers(t *testing.T) {
	o := startOutside(t)
	var first *http.Cookie
	for n := range 300 {
		token := o.token(o.alice, events.HTTPTokenType, nil)
		resp, body := o.ask("/session", bearer(token))
		if resp.StatusCode != http.StatusNoContent {
			t.Fatalf("token %d is exchanged with %d %s", n, resp.StatusCode, body)
		}
		if first == nil {
			first = resp.Cookies()[0]
		}
		if resp, _ := o.ask("/session", bearer(token)); n < 2 && resp.StatusCode != http.StatusForbidden {
			t.Errorf("token %d is exchanged again with %d", n, resp.StatusCode)
		}
	}
	if resp, body := o.ask("/", func(r *http.Request) { r.AddCookie(first) }); resp.StatusCode != http.StatusOK {
		t.Errorf("the first session: %d %s", resp.StatusCode, body)
	}
}

func TestHTTPWalls(t *testing.T) {
	o := startOutside(t)
	good := bearer(o.token(o.alice, events.HTTPTokenType, nil))
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"a method that writes", func(r *http.Request) { r.Method = http.MethodPost }, http.StatusMethodNotAllowed},
		{"a method of its own", func(r *http.Request) { r.Method = "FROB" }, http.StatusMethodNotAllowed},
		{"a body", func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("x")), 1 }, http.StatusBadRequest},
		{"the name of another site", func(r *http.Request) { r.Host = "evil.example.com" }, http.StatusMisdirectedRequest},
		{"no name", func(r *http.Request) { r.Host = "." }, http.StatusMisdirectedRequest},
		{"the advertised name", func(r *http.Request) { r.Host = "juju.example.com:8443" }, http.StatusOK},
		{"an address", func(r *http.Request) { r.Host = "[::1]:8443" }, http.StatusOK},
		{"headers of 40 KiB", func(r *http.Request) { r.Header.Set("X", strings.Repeat("x", 40<<10)) }, http.StatusRequestHeaderFieldsTooLarge},
		{"HEAD", func(r *http.Request) { r.Method = http.MethodHead }, http.StatusOK},
	} {
		resp, body := o.ask("/", func(r *http.Request) { good(r); c.change(r) })
		if resp.StatusCode != c.want {
			t.Errorf("%s: %d %s, want %d", c.name, resp.StatusCode, body, c.want)
		}
	}
	for _, path := range []string{"/", "/status", "/metrics", "/healthz", "/enter", "/static/enter.js", "/nothing"} {
		resp, body := o.ask(path, good)
		for name, want := range headers {
			if got := resp.Header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		if policy := resp.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") {
			t.Errorf("%s has the policy %q", path, policy)
		}
		for _, inline := range []string{"<style", "style=", "onclick"} {
			if strings.Contains(body, inline) {
				t.Errorf("%s has a style or a script of its own, %s:\n%s", path, inline, body)
			}
		}
	}
	resp, err := http.Get("http://" + strings.Replace(o.s.httpAddr, "[::]", "127.0.0.1", 1) + "/status")
	if err == nil && resp.StatusCode == http.StatusOK {
		t.Error("beyond this host it answers without TLS")
	}
}

// BI-98, on the page: what a host says of itself is text, and only text.
func TestBI98NamesOnThePage(t *testing.T) {
	o := startOutside(t)
	good := bearer(o.token(o.alice, events.HTTPTokenType, nil))
	_, page := o.ask("/", good)
	if !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Errorf("the name of the host is not there:\n%s", page)
	}
	_, answer := o.ask("/status", good)
	for name, text := range map[string]string{"the page": page, "/status": answer} {
		if strings.Contains(text, "<script") || strings.ContainsAny(text, "\x1b\u202e\x00\u2066") {
			t.Errorf("BI-98: %s lets a name speak:\n%q", name, text)
		}
	}
}
