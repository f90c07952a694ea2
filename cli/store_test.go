package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent"
)

func storeIn(dir string, vars map[string]string) *App {
	return &App{Getenv: func(key string) string {
		if key == "JUJU_DATA" {
			return dir
		}
		return vars[key]
	}}
}

// Several clients start machines at the same time: none of them forgets what another has
// noted, or a process would be left behind for ever.
func TestClientsNoteMachinesAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	if err := storeIn(dir, nil).addEnvironment(environment{Name: "prod", UUID: "u"}); err != nil {
		t.Fatal(err)
	}
	const clients = 20
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			err := storeIn(dir, nil).updateEnvironment("prod", func(e *environment) { e.put(machine{ID: fmt.Sprint(i), PID: i + 1}) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	e, err := storeIn(dir, nil).loadEnvironment("prod")
	if err != nil || len(e.Machines) != clients {
		t.Fatalf("%d machines are noted, want %d; %v", len(e.Machines), clients, err)
	}
}

// Of clients that make an environment of one name, one wins.
func TestOneClientMakesTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	won := make(chan string, 8)
	var wg sync.WaitGroup
	for i := range cap(won) {
		wg.Go(func() {
			uuid := fmt.Sprintf("u%d", i)
			switch err := storeIn(dir, nil).addEnvironment(environment{Name: "prod", UUID: uuid}); {
			case err == nil:
				won <- uuid
			case !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(won)
	winner := <-won
	if second, more := <-won; more {
		t.Fatalf("%s and %s both made it", winner, second)
	}
	if e, err := storeIn(dir, nil).loadEnvironment("prod"); err != nil || e.UUID != winner {
		t.Fatalf("it is %v, %v; want that of %s", e, err, winner)
	}
}

func TestWhichEnvironmentIsChosen(t *testing.T) {
	for _, c := range []struct{ flag, variable, current, want string }{
		{"", "", "", ""},
		{"", "", "current", "current"},
		{"", "variable", "current", "variable"},
		{"flag", "variable", "current", "flag"},
	} {
		a := storeIn(t.TempDir(), map[string]string{"JUJU_ENV": c.variable})
		a.environment = c.flag
		if c.current != "" {
			if err := a.makeCurrent(c.current); err != nil {
				t.Fatal(err)
			}
		}
		if got := a.chosenName(); got != c.want {
			t.Errorf("-e %q, JUJU_ENV %q, current %q: chosen %q, want %q", c.flag, c.variable, c.current, got, c.want)
		}
	}
}

// A relative JUJU_DATA must not make the notes depend on where juju is run from.
func TestDataIsAbsolute(t *testing.T) {
	for _, vars := range []map[string]string{{"HOME": "/home/ann"}, {}} {
		if dir := storeIn("", vars).data(); !filepath.IsAbs(dir) || !strings.HasSuffix(dir, "/.local/share/juju") {
			t.Errorf("with %v the data is in %q", vars, dir)
		}
	}
	if dir := storeIn("here", nil).data(); !filepath.IsAbs(dir) {
		t.Errorf("with a relative JUJU_DATA the data is in %q", dir)
	}
}

func TestDamagedNotesAreAnError(t *testing.T) {
	for name, content := range map[string]string{
		"no YAML": "\x00{", "empty": "", "another environment's": "name: other\nuuid: u\n", "no UUID": "name: prod\n", "a list": "- prod\n",
	} {
		a := storeIn(t.TempDir(), nil)
		if err := os.MkdirAll(filepath.Dir(a.environmentFile("prod")), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(a.environmentFile("prod"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var hint hintError
		if _, err := a.loadEnvironment("prod"); !errors.As(err, &hint) || !strings.Contains(err.Error(), "prod.yaml") || hint.next == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

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
	if err := removeMachine(dir, "u", "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("it is still there: %v", err)
	}
	if err := removeMachine(dir, "u", "1"); err != nil {
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
		if err := removeMachine(dir, environment, id); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(why, "of ")) {
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
	ticks, err := startTicks(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := stopProcess(cmd.Process.Pid, ticks+1); err != nil {
		t.Fatal(err)
	}
	if _, err := startTicks(cmd.Process.Pid); err != nil {
		t.Fatalf("another process with that PID was stopped: %v", err)
	}
	if err := stopProcess(cmd.Process.Pid, ticks); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := stopProcess(cmd.Process.Pid, ticks); err != nil {
		t.Fatalf("stopped again: %v", err)
	}
	if err := stopProcess(0, 0); err != nil {
		t.Fatalf("a machine that this client did not start: %v", err)
	}
}
