package launcher_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/launcher"
)

// Who may write to a parent of the data directory puts a directory of his own in its place
// while the launcher runs, as root. Nothing of that is executed; when the parent is right
// again, the machine goes on by itself.
func TestB23AParentOfTheDataDirectory(t *testing.T) {
	m := newMachine(t)
	parent, dir := m.l.Dir, filepath.Join(m.l.Dir, "juju")
	m.l.Dir = dir
	check(t, os.MkdirAll(m.l.Tools(), 0o700), os.MkdirAll(m.l.Agent(), 0o700))
	check(t, os.Symlink("../told", filepath.Join(dir, "told")))
	m.version(old, "exits") // so it is started again and again
	check(t, m.l.Switch(old))
	pwned := filepath.Join(parent, "pwned")
	refused := make(untrusted, 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- launcher.Launch(ctx, launcher.Config{
			Layout: m.l, Exe: "/nowhere", Version: old, Logger: slog.New(slog.NewTextHandler(refused, nil)),
			Timing: launcher.Timing{Backoff: time.Millisecond},
		})
	}()
	defer func() { cancel(); check(t, <-ended) }()
	m.wait(old + " started")

	check(t, os.Rename(dir, dir+".stolen"), plant(install.Layout{Dir: dir, Machine: "3"}, pwned))
	refused.wait(t, pwned, "another directory lies there")
	check(t, os.Rename(dir, dir+".planted"), os.Rename(dir+".stolen", dir))
	m.drain()
	m.wait(old + " started")

	check(t, os.Chmod(parent, 0o777))
	refused.wait(t, pwned, parent+" can be written by others")
	check(t, os.Chmod(parent, 0o700))
	m.drain()
	m.wait(old + " started")
}

// untrusted passes on the lines of a log that say why a data directory is not used.
type untrusted chan string

func (u untrusted) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "no agent is started") {
		select {
		case u <- string(line):
		default:
		}
	}
	return len(line), nil
}

// wait waits until the launcher has refused the data directory for that reason.
func (u untrusted) wait(t *testing.T, pwned, why string) {
	t.Helper()
	for look, late := time.NewTicker(10*time.Millisecond), time.After(30*time.Second); ; {
		select {
		case line := <-u:
			if strings.Contains(line, why) {
				return
			}
		case <-look.C:
			if _, err := os.Stat(pwned); err == nil {
				t.Fatal("what was planted was executed")
			}
		case <-late:
			t.Fatalf("the launcher never said %q", why)
		}
	}
}

// plant makes a data directory with a complete version that says that it ran.
func plant(l install.Layout, pwned string) error {
	script := fmt.Appendf(nil, "#!/bin/sh\nid > %s\nexec sleep 1\n", pwned)
	evil := filepath.Join(l.Tools(), "evil")
	for _, d := range []string{evil, l.Agent()} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(evil, "jujud"), script, 0o755); err != nil {
		return err
	}
	sum := sha256.Sum256(script)
	marker := fmt.Appendf(nil, `{"files":{"jujud":"%s"}}`, hex.EncodeToString(sum[:]))
	if err := os.WriteFile(filepath.Join(evil, ".complete"), marker, 0o644); err != nil {
		return err
	}
	return os.Symlink("evil", l.Link())
}
