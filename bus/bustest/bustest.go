// Package bustest starts real buses for tests: an embedded server or a separate
// nats-server process, and connections in every role.
package bustest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
)

// Environment is the UUID of every test's environment.
const Environment = "11111111-2222-3333-4444-555555555555"

// Bus is a running NATS with its accounts. Connections it made are closed with the test.
type Bus struct {
	T        testing.TB
	Accounts *server.Accounts
	Server   *server.Server // nil for a separate process
	URLs     []string
	// Authorities is the file of certificates that connections believe.
	Authorities string
	keeper      *bus.Identity // of the state server, through all its restarts
	dir         string
	change      func(*server.Config)
}

// Start starts an embedded server and provisions it.
func Start(t testing.TB) *Bus {
	t.Helper()
	return StartWith(t, func(*server.Config) {})
}

// StartSmall is Start with a store that takes no more than maxBytes.
func StartSmall(t testing.TB, maxBytes int64) *Bus {
	t.Helper()
	return StartWith(t, func(cfg *server.Config) { cfg.MaxBytes = maxBytes })
}

// StartWith is Start with something changed in the server's configuration.
func StartWith(t testing.TB, change func(*server.Config)) *Bus {
	t.Helper()
	b := unstarted(t)
	b.change = change
	b.start(0)
	b.provision()
	return b
}

// StartEmpty is Start without streams and buckets.
func StartEmpty(t testing.TB) *Bus {
	t.Helper()
	b := unstarted(t)
	b.change = func(*server.Config) {}
	b.start(0)
	return b
}

func unstarted(t testing.TB) *Bus {
	t.Helper()
	accounts, err := server.NewAccounts(Environment)
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	b := &Bus{T: t, Accounts: accounts, keeper: keeper, dir: t.TempDir()}
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

// Restart stops the server and starts it again with its store, on the same port.
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

// Connect connects over TCP with a JWT for a new identity.
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

// With connects over TCP and TLS as cfg says.
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

// Credentials makes a key and has it signed in.
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

// System connects as who tells NATS whose credentials are revoked.
func (b *Bus) System() *bus.Conn {
	b.T.Helper()
	creds, err := b.Accounts.SystemCredentials()
	if err != nil {
		b.T.Fatal(err)
	}
	return b.With(bus.ConnConfig{Credentials: creds})
}

// StateServer connects a state server, always with the same key.
func (b *Bus) StateServer() *bus.Conn {
	b.T.Helper()
	return b.as(b.keeper, func(key string) (string, error) { return b.Accounts.StateServerJWT("state-server-0", key) })
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

// NATSServer builds nats-server, from the module in go.mod, once for all tests of a
// process, and returns the program's path.
var NATSServer = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "jujube-nats-server-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "nats-server")
	out, err := exec.Command("go", "build", "-o", bin, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build nats-server: %w: %s", err, out)
	}
	return bin, nil
})

// StartProcess starts a separate nats-server process, built from the module in go.mod
// and configured by Accounts.NATSConfig, and provisions it.
func StartProcess(t testing.TB) *Bus {
	t.Helper()
	bin, err := NATSServer()
	if err != nil {
		t.Fatal(err)
	}
	b := unstarted(t)
	conf := filepath.Join(b.dir, "nats.conf")
	if err := os.WriteFile(conf, []byte(b.Accounts.NATSConfig("127.0.0.1:-1", b.dir, b.dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts.SaveNATSCertificate(b.dir, []string{"127.0.0.1"}, time.Now()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-c", conf)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	url := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		var said strings.Builder
		for lines := bufio.NewScanner(log); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			if _, addr, ok := strings.Cut(lines.Text(), "Listening for client connections on "); ok {
				url <- "tls://" + addr
			}
		}
		select {
		case url <- "":
			t.Log(said.String())
		default:
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-drained
		_ = cmd.Wait()
	})
	b.URLs = []string{<-url}
	if b.URLs[0] == "" {
		t.Fatal("nats-server ended before it listened")
	}
	b.provision()
	return b
}
