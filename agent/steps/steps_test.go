package steps

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events/version"
)

func num(t *testing.T, s string) version.Number {
	t.Helper()
	n, err := version.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Each row: from → to, and the releases whose steps are taken.
func TestBetween(t *testing.T) {
	var all []Release
	for _, v := range []string{"1.26.0", "1.24.0", "1.25.0", "1.25.2"} { // in no order
		all = append(all, Release{Version: num(t, v)})
	}
	for _, c := range []struct{ from, to, want string }{
		{"1.24.0", "1.25.1", "1.25.0"},
		{"1.24.0", "1.24.0", ""},
		{"1.23.0", "1.26.0", "1.24.0 1.25.0 1.25.2 1.26.0"},
		{"1.25.0", "1.25.1", ""},
		{"1.25.1", "1.25.2", "1.25.2"},
		{"1.23.1", "1.24-beta1", "1.24.0"},     // a beta takes the final release's steps
		{"1.24-beta1", "1.24-beta2", "1.24.0"}, // every later beta takes them again
		{"1.24-beta2", "1.24.0", "1.24.0"},     // and so does the final release
		{"1.25.2", "1.25.1", ""},               // down: nothing is taken
		{"0.0.0", "1.25.0.3", "1.24.0 1.25.0"}, // a build of an operator's own
		{"1.25.0", "1.25.0.3", ""},
	} {
		var got []string
		for _, r := range Between(all, num(t, c.from), num(t, c.to)) {
			got = append(got, r.Version.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("from %s to %s: %v, want %s", c.from, c.to, got, c.want)
		}
	}
}

// book is a host whose steps write down what they do.
type book struct {
	lines []string
	fail  string // the line whose step returns an error
}

func (b *book) note(line string) func(context.Context, Host) error {
	return func(context.Context, Host) error {
		b.lines = append(b.lines, line)
		if line == b.fail {
			return errors.New("no")
		}
		return nil
	}
}

func (b *book) want(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(b.lines, " "); got != want {
		t.Fatalf("it did %s\nwant   %s", got, want)
	}
	b.lines = nil
}

func (b *book) releases(t *testing.T) []Release {
	step := func(name string, undo bool, targets ...Target) Step {
		s := Step{Description: name, Targets: targets, Run: b.note(name)}
		if undo {
			s.Undo = b.note("undo-" + name)
		}
		return s
	}
	return []Release{
		{num(t, "1.25.0"), []Step{step("a", true, AllMachines), step("server", true, StateServer), step("b", true, HostMachine)}},
		{num(t, "1.25.1"), []Step{step("c", false, AllMachines), step("d", true, AllMachines)}},
	}
}

func (b *book) taker(closing error) Taker {
	return Taker{
		Host: Host{Targets: []Target{HostMachine}},
		Closing: func(_ version.Number, s Step) error {
			b.lines = append(b.lines, "closing-"+s.Description)
			return closing
		},
		Reached: func(v version.Number) error { b.lines = append(b.lines, "reached-"+v.String()); return nil },
	}
}

func TestStepsAreTakenInOrderAndEachReleaseIsNoted(t *testing.T) {
	b := &book{}
	if err := b.taker(nil).Take(t.Context(), b.releases(t)); err != nil {
		t.Fatal(err)
	}
	b.want(t, "a b reached-1.25.0 closing-c c d reached-1.25.1")
}

func TestAFailedStepEndsThePass(t *testing.T) {
	b := &book{fail: "b"}
	err := b.taker(nil).Take(t.Context(), b.releases(t))
	var failed *StepError
	if !errors.As(err, &failed) || failed.Step.Description != "b" || failed.Release != num(t, "1.25.0") {
		t.Fatalf("it ended with %v", err)
	}
	b.want(t, "a b")
	panics := []Release{{num(t, "1.25.0"), []Step{{"p", []Target{AllMachines}, func(context.Context, Host) error { panic("oh") }, NothingToUndo}}}}
	if err := b.taker(nil).Take(t.Context(), panics); err == nil || !strings.Contains(err.Error(), "oh") {
		t.Fatalf("a panic ended with %v", err)
	}
}

func TestNothingIsDoneBeforeTheWayBackIsClosed(t *testing.T) {
	b, stop := &book{}, errors.New("not yet")
	if err := b.taker(stop).Take(t.Context(), b.releases(t)); !errors.Is(err, stop) {
		t.Fatalf("it ended with %v", err)
	}
	b.want(t, "a b reached-1.25.0 closing-c")
}

func TestUndo(t *testing.T) {
	b := &book{}
	h := Host{Targets: []Target{HostMachine}}
	if err := Undo(t.Context(), h, b.releases(t)[:1]); err != nil {
		t.Fatal(err)
	}
	b.want(t, "undo-b undo-a")
	if err := Undo(t.Context(), h, b.releases(t)); err == nil || !strings.Contains(err.Error(), "cannot be undone") {
		t.Fatalf("the undoing of what cannot be undone: %v", err)
	}
	b.want(t, "") // nothing was undone, not even the steps that can be
}

// The steps that are released: each says what it is and for whom, they are in order, and
// every one of them may run twice.
func TestRegistry(t *testing.T) {
	l := install.Layout{Dir: t.TempDir(), Machine: "3"}
	loose := map[string]os.FileMode{
		filepath.Join(l.Agent(), "agent.conf"): 0o644, filepath.Join(l.Outbox(), "1.rec"): 0o666, filepath.Join(l.Dir, "server", "trust.json"): 0o640,
		filepath.Join(l.Unit("web/0"), "its-own"): 0o644, filepath.Join(l.Dir, "log", "x.log"): 0o644,
		filepath.Join(l.Version("1.25.0-trusty-amd64"), "jujud"): 0o755,
	}
	for path, mode := range loose {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, nil, mode), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/hosts", filepath.Join(l.Agent(), "link")); err != nil {
		t.Fatal(err)
	}
	taker := Taker{
		Host:    Host{Layout: l, Targets: []Target{HostMachine, StateServer}},
		Closing: func(version.Number, Step) error { return nil }, Reached: func(version.Number) error { return nil },
	}
	for range 2 {
		if err := taker.Take(t.Context(), Registry); err != nil {
			t.Fatal(err)
		}
		if err := Undo(t.Context(), taker.Host, Registry); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for path := range loose {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(l.Dir, path)
		got = append(got, fmt.Sprintf("%s %o", rel, info.Mode().Perm()))
	}
	for _, want := range []string{
		"agents/machine-3/agent.conf 600", "agents/machine-3/outbox/1.rec 600", "server/trust.json 600", "log/x.log 600",
		"agents/unit-web-0/its-own 644", "tools/1.25.0-trusty-amd64/jujud 755",
	} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("the modes are\n%s\nwant %s", strings.Join(got, "\n"), want)
		}
	}
	for i, r := range Registry {
		if i > 0 && Registry[i-1].Version.Compare(r.Version) >= 0 {
			t.Errorf("%s does not come after %s", r.Version, Registry[i-1].Version)
		}
		for _, s := range r.Steps {
			if s.Description == "" || len(s.Description) > 200 || len(s.Targets) == 0 || s.Run == nil {
				t.Errorf("a step of %s lacks something: %+v", r.Version, s)
			}
		}
	}
}
