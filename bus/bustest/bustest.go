// Package bustest starts a NATS for a test, embedded or in a process of its own, and connects
// to it in every role. It also plays those who do what they must not: another server at the
// environment's address (BadServer), and whoever has the disk of a NATS (Rewrite, Delete).
package bustest

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
)

// Environment is the UUID of every test's environment.
const Environment = "11111111-2222-3333-4444-555555555555"

// Bus is a running NATS with its accounts. It ends with the test, and so do the connections
// that it made.
type Bus struct {
	T        testing.TB
	Accounts *server.Accounts
	Server   *server.Server // nil: NATS runs in a process of its own
	URLs     []string
	// Authorities is the file of the authorities that connections believe.
	Authorities string
	stateServer *bus.Identity // the same in all its connections
	dir         string
	change      func(*server.Config) // changes the configuration at every start
}

// Start starts an embedded server and makes its streams.
func Start(t testing.TB) *Bus {
	t.Helper()
	return StartWith(t, func(*server.Config) {})
}

// StartSmall is Start with a server that stores no more than maxBytes.
func StartSmall(t testing.TB, maxBytes int64) *Bus {
	t.Helper()
	return StartWith(t, func(cfg *server.Config) { cfg.MaxBytes = maxBytes })
}

// StartWith is Start with another configuration, which change makes of the usual one.
func StartWith(t testing.TB, change func(*server.Config)) *Bus {
	t.Helper()
	return startOf(t, newAccounts(t), change)
}

// StartOf is Start with accounts that exist already.
func StartOf(t testing.TB, accounts *server.Accounts) *Bus {
	t.Helper()
	return startOf(t, accounts, func(*server.Config) {})
}

func startOf(t testing.TB, accounts *server.Accounts, change func(*server.Config)) *Bus {
	t.Helper()
	b := unstarted(t, accounts)
	b.change = change
	b.start(0)
	b.provision()
	return b
}

func newAccounts(t testing.TB) *server.Accounts {
	t.Helper()
	accounts, err := server.NewAccounts(Environment)
	if err != nil {
		t.Fatal(err)
	}
	return accounts
}

func unstarted(t testing.TB, accounts *server.Accounts) *Bus {
	t.Helper()
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	b := &Bus{T: t, Accounts: accounts, stateServer: id, dir: t.TempDir()}
	b.Authorities = filepath.Join(b.dir, "ca.pem")
	if err := bus.PinAuthorities(b.Authorities, accounts.Certificates()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if b.Server != nil {
			b.Server.Close()
		}
	})
	return b
}

func (b *Bus) start(port int) {
	b.T.Helper()
	cfg := server.Config{StoreDir: b.dir, Port: port, Accounts: b.Accounts}
	b.change(&cfg)
	srv, err := server.Start(cfg)
	if err != nil {
		b.T.Fatal(err)
	}
	b.Server, b.URLs = srv, []string{srv.URL()}
}

// Restart stops the server and starts it again with the same files, at the same port.
func (b *Bus) Restart() {
	b.T.Helper()
	port := b.port()
	b.Server.Close()
	b.start(port)
}

func (b *Bus) port() int {
	b.T.Helper()
	var port int
	if _, err := fmt.Sscanf(b.URLs[0][strings.LastIndexByte(b.URLs[0], ':')+1:], "%d", &port); err != nil {
		b.T.Fatal(err)
	}
	return port
}

func (b *Bus) provision() {
	b.T.Helper()
	if err := server.Provision(b.T.Context(), b.StateServer(), 1); err != nil {
		b.T.Fatal(err)
	}
}

// Connect connects by TCP and TLS, with a new identity that sign signs in.
func (b *Bus) Connect(sign func(publicKey string) (string, error)) *bus.Conn {
	b.T.Helper()
	id, err := bus.NewIdentity()
	if err != nil {
		b.T.Fatal(err)
	}
	return b.as(id, sign)
}

func (b *Bus) as(id *bus.Identity, sign func(publicKey string) (string, error)) *bus.Conn {
	b.T.Helper()
	token, err := sign(id.Public())
	if err != nil {
		b.T.Fatal(err)
	}
	return b.With(bus.ConnConfig{Credentials: bus.Credentials{JWT: token, Seed: string(id.Seed())}})
}

// With connects by TCP and TLS as cfg says.
func (b *Bus) With(cfg bus.ConnConfig) *bus.Conn {
	b.T.Helper()
	cfg.URLs, cfg.Authorities = b.URLs, b.Authorities
	c, err := bus.Connect(b.T.Context(), cfg)
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(c.Close)
	return c
}

// Credentials makes a new identity and the credentials with which sign signs it in.
func (b *Bus) Credentials(sign func(key string) (string, error)) (bus.Credentials, *bus.Identity) {
	b.T.Helper()
	id, err := bus.NewIdentity()
	if err != nil {
		b.T.Fatal(err)
	}
	token, err := sign(id.Public())
	if err != nil {
		b.T.Fatal(err)
	}
	return bus.Credentials{JWT: token, Seed: string(id.Seed())}, id
}

// System connects as the user who tells NATS whose credentials are revoked.
func (b *Bus) System() *bus.Conn {
	b.T.Helper()
	creds, err := b.Accounts.SystemCredentials()
	if err != nil {
		b.T.Fatal(err)
	}
	return b.With(bus.ConnConfig{Credentials: creds})
}

// StateServer connects a state server, always with the same identity.
func (b *Bus) StateServer() *bus.Conn {
	b.T.Helper()
	return b.as(b.stateServer, func(key string) (string, error) { return b.Accounts.StateServerJWT("state-server-0", key) })
}

// Operator connects an operator.
func (b *Bus) Operator(name string) *bus.Conn {
	b.T.Helper()
	return b.Connect(func(key string) (string, error) { return b.Accounts.OperatorJWT(name, key) })
}

// Agent connects a machine's agent; tag is "machine-3".
func (b *Bus) Agent(tag string) *bus.Conn {
	b.T.Helper()
	return b.Connect(func(key string) (string, error) { return b.Accounts.AgentJWT(tag, key) })
}

// KeepRequests has a state server store every request that comes, until the test ends.
func (b *Bus) KeepRequests() {
	b.T.Helper()
	stop, err := b.StateServer().ServeAsked(func(a bus.Asked) { a.Keep() })
	if err != nil {
		b.T.Fatal(err)
	}
	b.T.Cleanup(stop)
}

// StoreRequest stores a request that no state server has looked at, as NATS did by itself for
// clients of before.
func (b *Bus) StoreRequest(id *bus.Identity, ask events.Ask) {
	b.T.Helper()
	statement, err := json.Marshal(ask)
	if err != nil {
		b.T.Fatal(err)
	}
	signature, err := id.Sign(events.PAE(events.SignedType(ask.Action), statement))
	if err != nil {
		b.T.Fatal(err)
	}
	data, err := json.Marshal(events.Signed{Statement: statement, Key: id.Public(), Signature: signature})
	if err != nil {
		b.T.Fatal(err)
	}
	if _, err := b.StateServer().JetStream().Publish(b.T.Context(), "requests."+id.Public()+"."+ask.ID, data); err != nil {
		b.T.Fatal(err)
	}
}
