package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// appWith is a run of juju with these environment variables and a store in dir.
func appWith(dir string, vars map[string]string) *App {
	return &App{Getenv: func(key string) string {
		if key == "JUJU_DATA" {
			return dir
		}
		return vars[key]
	}}
}

func storeIn(dir string) Store { return appWith(dir, nil).Store() }

// Several clients start machines at the same time: none of them forgets what another has
// noted, or a process would be left behind for ever.
func TestClientsNoteMachinesAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	if err := storeIn(dir).Add(Environment{Name: "prod", UUID: "u"}); err != nil {
		t.Fatal(err)
	}
	const clients = 20
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			err := storeIn(dir).Update("prod", func(e *Environment) { e.Put(Machine{ID: fmt.Sprint(i), PID: i + 1}) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	e, err := storeIn(dir).Load("prod")
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
			switch err := storeIn(dir).Add(Environment{Name: "prod", UUID: uuid}); {
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
	if e, err := storeIn(dir).Load("prod"); err != nil || e.UUID != winner {
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
		a := appWith(t.TempDir(), map[string]string{"JUJU_ENV": c.variable})
		a.Environment = c.flag
		if c.current != "" {
			if err := a.Store().MakeCurrent(c.current); err != nil {
				t.Fatal(err)
			}
		}
		if got := a.ChosenName(); got != c.want {
			t.Errorf("-e %q, JUJU_ENV %q, current %q: chosen %q, want %q", c.flag, c.variable, c.current, got, c.want)
		}
	}
}

// A relative JUJU_DATA must not make the notes depend on where juju is run from.
func TestDataIsAbsolute(t *testing.T) {
	for _, vars := range []map[string]string{{"HOME": "/home/ann"}, {}} {
		if dir := string(appWith("", vars).Store()); !filepath.IsAbs(dir) || !strings.HasSuffix(dir, "/.local/share/juju") {
			t.Errorf("with %v the data is in %q", vars, dir)
		}
	}
	if dir := string(storeIn("here")); !filepath.IsAbs(dir) {
		t.Errorf("with a relative JUJU_DATA the data is in %q", dir)
	}
}

func TestDamagedNotesAreAnError(t *testing.T) {
	for name, content := range map[string]string{
		"no YAML": "\x00{", "empty": "", "another environment's": "name: other\nuuid: u\n", "no UUID": "name: prod\n", "a list": "- prod\n",
	} {
		a := storeIn(t.TempDir())
		if err := os.MkdirAll(filepath.Dir(a.EnvironmentFile("prod")), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(a.EnvironmentFile("prod"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var hint hintError
		if _, err := a.Load("prod"); !errors.As(err, &hint) || !strings.Contains(err.Error(), "prod.yaml") || hint.next == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
