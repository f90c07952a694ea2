package bus_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/server"
)

// operatorCredentials are those of a new operator.
func operatorCredentials(t *testing.T, accounts *server.Accounts) bus.Credentials {
	t.Helper()
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := accounts.OperatorJWT("ann", id.Public())
	if err != nil {
		t.Fatal(err)
	}
	return bus.Credentials{JWT: token, Seed: string(id.Seed())}
}

func newAccounts(t *testing.T) *server.Accounts {
	t.Helper()
	accounts, err := server.NewAccounts(bustest.Environment)
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

// pin writes the file of authorities that a client believes.
func pin(t *testing.T, certificates string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := bus.PinAuthorities(path, certificates); err != nil {
		t.Fatal(err)
	}
	return path
}

// Whoever answers in the environment's place is refused at once, each with its reason,
// and hears no word of NATS.
func TestBI99BadServersAreRefused(t *testing.T) {
	accounts := newAccounts(t)
	creds, pinned := operatorCredentials(t, accounts), pin(t, accounts.Certificates())
	for kind, why := range bustest.BadServers {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := bustest.StartBadServer(t, kind, accounts)
			conn, err := bus.Connect(t.Context(), bus.ConnConfig{URLs: []string{s.URL}, Authorities: pinned, Credentials: creds})
			if !errors.Is(err, bus.ErrUntrusted) || !strings.Contains(err.Error(), why) {
				t.Errorf("%v; want ErrUntrusted and %q", err, why)
			}
			if err == nil {
				conn.Close()
			}
			if heard := s.Heard(); bytes.Contains(heard, []byte("CONNECT")) || bytes.Contains(heard, []byte(creds.JWT)) {
				t.Errorf("it heard %q", heard)
			}
		})
	}
}

// A bad server among good ones does not keep anybody away.
func TestBI99AGoodServerIsFoundBesideABadOne(t *testing.T) {
	b := bustest.Start(t)
	bad := bustest.StartBadServer(t, "authority", b.Accounts)
	for range 4 { // the order of addresses is random
		conn, err := bus.Connect(t.Context(), bus.ConnConfig{
			URLs: []string{bad.URL, b.URLs[0]}, Authorities: b.Authorities, Credentials: operatorCredentials(t, b.Accounts),
		})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
}

// A client that does not speak TLS first is told nothing.
func TestBI99PlaintextClientsGetNothing(t *testing.T) {
	b := bustest.Start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.URLs[0], "tls://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("CONNECT {\"verbose\":true}\r\nPING\r\n")); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the connection was left open: %v", err)
	}
	if len(got) > 0 && got[0] != 21 { // a TLS alert
		t.Errorf("it was told %q", got)
	}
	if _, err := tls.Dial("tcp", conn.RemoteAddr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("it speaks TLS 1.2")
	}
}

// Without pinned certificates, or with addresses of before, nothing is tried.
func TestConnectionsWithoutAuthorityAreRefused(t *testing.T) {
	b := bustest.Start(t)
	writable := pin(t, b.Accounts.Certificates())
	if err := os.Chmod(writable, 0o666); err != nil {
		t.Fatal(err)
	}
	certificate, key, err := b.Accounts.Authorities[0].Sign([]string{"127.0.0.1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ url, authorities, want string }{
		{strings.Replace(b.URLs[0], "tls", "nats", 1), b.Authorities, "is not tls://HOST:PORT"},
		{b.URLs[0], "", "read the authorities that are pinned"},
		{b.URLs[0], filepath.Join(t.TempDir(), "none.pem"), "none.pem: no such file"},
		{b.URLs[0], writable, "others can write it"},
	} {
		_, err := bus.Connect(t.Context(), bus.ConnConfig{URLs: []string{c.url}, Authorities: c.authorities, Credentials: operatorCredentials(t, b.Accounts)})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: %v; want %q", c.url, c.authorities, err, c.want)
		}
	}
	for text, want := range map[string]string{"": "there is none", key: "PRIVATE KEY", certificate: "of a server, not of an authority"} {
		if err := bus.PinAuthorities(writable, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

func TestTokensAndAccountsWithoutAuthorityAreRefused(t *testing.T) {
	token := bus.JoinToken{Environment: bustest.Environment, Machine: "3", URLs: []string{"tls://h:1"}, Seed: "SU"}
	if _, err := bus.ParseJoinToken(token.String()); err == nil || !strings.Contains(err.Error(), "does not pin the environment's certificate authority") {
		t.Errorf("token: %v", err)
	}
	accounts, path := newAccounts(t), filepath.Join(t.TempDir(), "trust.json")
	accounts.Authorities = nil
	if err := accounts.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, err := server.LoadAccounts(path); err == nil || !strings.Contains(err.Error(), "has no certificate authority") {
		t.Errorf("accounts: %v", err)
	}
}

// clocked is a server whose certificates follow a clock of the test.
type clocked struct {
	*bustest.Bus
	ahead *atomic.Int64
}

func (c clocked) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// serial is of the certificate that somebody who connects now is shown.
func (c clocked) serial(t *testing.T) *big.Int {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(c.Accounts.Certificates()))
	conn, err := tls.Dial("tcp", strings.TrimPrefix(c.URLs[0], "tls://"), &tls.Config{RootCAs: pool, Time: c.now, MinVersion: tls.VersionTLS13})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber
}

// A certificate is replaced long before it ends, without a restart; who is connected
// stays connected.
func TestBI99CertificatesAreRenewedUnderLiveConnections(t *testing.T) {
	c := clocked{ahead: new(atomic.Int64)}
	c.Bus = bustest.StartWith(t, func(cfg *server.Config) { cfg.Now = c.now })
	first := c.serial(t)
	live := c.StateServer()
	again := make(chan struct{}, 1)
	watched := c.With(bus.ConnConfig{Credentials: operatorCredentials(t, c.Accounts), OnConnect: func() { again <- struct{}{} }})
	c.ahead.Store(int64(29 * 24 * time.Hour))
	if c.serial(t).Cmp(first) != 0 {
		t.Error("it was renewed before a third of its life")
	}
	for days := range 5 {
		c.ahead.Store(int64(time.Duration(100*(days+1)) * 24 * time.Hour))
		next := c.serial(t)
		if next.Cmp(first) == 0 {
			t.Errorf("after %v the certificate is the same", time.Duration(c.ahead.Load()))
		}
		first = next
	}
	if _, err := live.Log().Append(t.Context(), 0, setting(t, "a")); err != nil {
		t.Errorf("the connection of before: %v", err)
	}
	if last, err := watched.Log().Last(t.Context()); err != nil || last != 1 || len(again) > 0 {
		t.Errorf("an operator of before reads %d, %v, after %d reconnections", last, err, len(again))
	}
}

// Another authority takes over while everybody stays: both are pinned for a while, and
// what is pinned is read at every connection.
func TestAuthoritiesRotate(t *testing.T) {
	b := bustest.Start(t)
	again := make(chan struct{}, 1)
	b.With(bus.ConnConfig{Credentials: operatorCredentials(t, b.Accounts), OnConnect: func() { again <- struct{}{} }})
	if err := b.Accounts.AddAuthority(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := bus.PinAuthorities(b.Authorities, b.Accounts.Certificates()); err != nil {
		t.Fatal(err)
	}
	old := pin(t, b.Accounts.Authorities[0].Certificate)
	if err := b.Accounts.RetireAuthority(); err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts.RetireAuthority(); err == nil {
		t.Error("the last authority can be retired")
	}
	b.Restart()
	b.Agent("machine-4")
	select {
	case <-again:
	case <-time.After(60 * time.Second):
		t.Error("who was connected before does not come back")
	}
	_, err := bus.Connect(t.Context(), bus.ConnConfig{URLs: b.URLs, Authorities: old, Credentials: operatorCredentials(t, b.Accounts)})
	if !errors.Is(err, bus.ErrUntrusted) {
		t.Errorf("who pins the old authority only: %v", err)
	}
}
