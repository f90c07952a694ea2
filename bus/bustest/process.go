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

	"github.com/jujube-project/jujube/bus/server"
)

// NATSServer builds nats-server from the module that go.mod names and returns the program's
// path. It builds it once for all tests of a process.
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

// StartProcess starts a nats-server in a process of its own, configured by
// Accounts.NATSConfig, and makes its streams.
func StartProcess(t testing.TB) *Bus {
	t.Helper()
	return StartProcessOf(t, newAccounts(t))
}

// StartProcessOf is StartProcess with accounts that exist already.
func StartProcessOf(t testing.TB, accounts *server.Accounts) *Bus {
	t.Helper()
	bin, err := NATSServer()
	if err != nil {
		t.Fatal(err)
	}
	b := unstarted(t, accounts)
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
