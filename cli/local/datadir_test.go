package local

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/host"
)

// enrolled makes the directory of machine 1 of environment "u".
func enrolled(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "1")
	if err := (agent.Conf{Tag: "machine-1", DataDir: dir, Environment: "u"}).Save(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"log", "tools"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestOnlyAMachinesOwnDirectoryIsRemoved(t *testing.T) {
	dir := enrolled(t)
	if err := Remove(dir, "u", "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("it is still there: %v", err)
	}
	if err := Remove(dir, "u", "1"); err != nil {
		t.Fatalf("removed again: %v", err)
	}

	for why, spoil := range map[string]func(dir string) (environment, id string){
		"of environment u": func(string) (string, string) { return "another", "1" },
		"of machine-1":     func(string) (string, string) { return "u", "2" },
		"no part of a machine": func(dir string) (string, string) {
			if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return "u", "1"
		},
		"did not start": func(dir string) (string, string) {
			f, err := os.Create(filepath.Join(dir, "lock"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
				t.Fatal(err)
			}
			return "u", "1"
		},
	} {
		dir := enrolled(t)
		environment, id := spoil(dir)
		if err := Remove(dir, environment, id); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(why, "of ")) {
			t.Errorf("%s: %v", why, err)
		}
		if _, err := agent.LoadConf(dir); err != nil {
			t.Errorf("%s: it was touched: %v", why, err)
		}
	}
}

// A process is ended only if it is the one that was started: its PID may be another's by
// now.
func TestOnlyTheProcessThatWasStartedIsStopped(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	ticks, err := host.StartTicks(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := Stop(cmd.Process.Pid, ticks+1); err != nil {
		t.Fatal(err)
	}
	if _, err := host.StartTicks(cmd.Process.Pid); err != nil {
		t.Fatalf("another process with that PID was stopped: %v", err)
	}
	if err := Stop(cmd.Process.Pid, ticks); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := Stop(cmd.Process.Pid, ticks); err != nil {
		t.Fatalf("stopped again: %v", err)
	}
	if err := Stop(0, 0); err != nil {
		t.Fatalf("a machine that this client did not start: %v", err)
	}
}

// A bootstrap that failed removes what is its own environment's. Another bootstrap may have
// found the directory empty at the same time, and have made its environment there.
func TestAFailedBootstrapRemovesItsOwnOnly(t *testing.T) {
	dir := enrolled(t)
	if err := RemoveMade(dir, "another"); err != nil {
		t.Fatal(err)
	}
	if conf, err := readConf(dir); err != nil || conf.Environment != "u" {
		t.Fatalf("the other environment's machine: %+v, %v", conf, err)
	}
	if err := RemoveMade(dir, "u"); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
