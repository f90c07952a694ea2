package launcher_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/launcher"
	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

// This test program is also the agent that the launcher starts: the file "behaviour"
// beside it says which kind.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "agent" || os.Args[1] == "probe") {
		os.Exit(behave(os.Args[1], os.Args[3]))
	}
	if len(os.Args) > 1 && os.Args[1] == "launcher" {
		exe, _ := os.Executable()
		log := slog.New(slog.NewTextHandler(os.Stderr, nil))
		l := install.Layout{Dir: os.Args[2], Machine: "3"}
		fmt.Println(launcher.Launch(context.Background(), launcher.Config{Layout: l, Exe: exe, Version: old, Logger: log}))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func behave(role, dataDir string) int {
	exe, err := os.Executable()
	if err != nil {
		return 3
	}
	kind, err := os.ReadFile(filepath.Join(filepath.Dir(exe), "behaviour"))
	if err != nil {
		return 3
	}
	_, err = os.Stat(filepath.Join(dataDir, "bus-is-away"))
	away := err == nil
	if role == "probe" && !away {
		return 0
	}
	tell, err := net.Dial("unix", filepath.Join(dataDir, "told"))
	if err != nil {
		return 3
	}
	say := func(words ...any) { fmt.Fprintln(tell, append([]any{filepath.Base(filepath.Dir(exe))}, words...)...) }
	if role == "probe" {
		say("probed in vain")
		return 1
	}
	say("started")
	switch string(kind) {
	case "exits":
		fmt.Fprintln(os.Stderr, "cannot go on")
		return 1
	case "other protocol":
		fmt.Fprintln(os.NewFile(3, "pipe"), "hello from the future")
		select {}
	case "hangs":
		select {}
	case "of 1.25.1":
		return recite("agent-1.25.1.txt", say)
	}
	p, err := pipe.Open()
	if err != nil {
		return 3
	}
	if string(kind) == "falls silent" {
		if err := p.Alive(); err != nil {
			return 3
		}
	}
	if err := p.Ready(); err != nil {
		return 3
	}
	if string(kind) == "never healthy" || string(kind) == "falls silent" {
		return listen(p, say)
	}
	for look := time.NewTicker(10 * time.Millisecond); away; <-look.C {
		_, err := os.Stat(filepath.Join(dataDir, "bus-is-away"))
		away = err == nil
	}
	j, err := install.Layout{Dir: dataDir, Machine: "3"}.ReadJournal()
	if err == nil && j.Phase == install.PhaseTrial {
		if err := p.Healthy(j.Order.ID); err != nil {
			return 3
		}
	}
	switch string(kind) {
	case "dies when kept":
		if j.Phase != install.PhaseTrial {
			return 1
		}
		go func() {
			<-p.Committed
			os.Exit(1)
		}()
		_ = p.Listen(context.Background())
		return 0
	case "begins a trial":
		if err := beginTrial(install.Layout{Dir: dataDir, Machine: "3"}); err != nil {
			return 3
		}
		if err := p.Restart(); err != nil {
			return 3
		}
		return 0
	}
	return listen(p, say)
}

// recite plays the agent's part of a transcript: its lines begin with >, the launcher's
// with <. It tells when the launcher said all of its lines, and then runs on in silence.
func recite(file string, say func(...any)) int {
	b, err := os.ReadFile(filepath.Join(os.Getenv("TRANSCRIPTS"), file))
	if err != nil {
		return 3
	}
	out, in := os.NewFile(pipe.FDToLauncher, "out"), bufio.NewScanner(os.NewFile(pipe.FDFromLauncher, "in"))
	for line := range strings.Lines(string(b)) {
		who, words, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case who == ">":
			fmt.Fprintln(out, words)
		case who == "<" && (!in.Scan() || in.Text() != words):
			say("heard", in.Text(), "for", words)
			return 3
		}
	}
	say("recited")
	in.Scan() // stop, or the launcher's end
	return 0
}

func listen(p *pipe.Parent, say func(...any)) int {
	go func() {
		for order := range p.Committed {
			say("committed", order)
		}
	}()
	if p.Listen(context.Background()) != nil {
		return 1
	}
	return 0
}

const (
	old   = "1.24.0-trusty-amd64"
	newer = "1.25.1-trusty-amd64"
)

// machine is a data directory with versions that behave, and what they told.
type machine struct {
	t    *testing.T
	l    install.Layout
	told chan string
	gone chan struct{} // one for each agent that ended
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir, err := os.MkdirTemp("", "jj") // a socket's path must be short
	check(t, err)
	t.Cleanup(func() { check(t, os.RemoveAll(dir)) })
	m := &machine{t: t, l: install.Layout{Dir: dir, Machine: "3"}, told: make(chan string, 100), gone: make(chan struct{}, 100)}
	check(t, os.MkdirAll(m.l.Tools(), 0o700), os.MkdirAll(m.l.Agent(), 0o700))
	s, err := net.Listen("unix", filepath.Join(dir, "told"))
	check(t, err)
	t.Cleanup(func() { _ = s.Close() })
	go func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			go func() {
				for lines := bufio.NewScanner(c); lines.Scan(); {
					m.told <- lines.Text()
				}
				m.gone <- struct{}{}
			}()
		}
	}()
	return m
}

func check(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) version(name, behaviour string) {
	m.t.Helper()
	exe, err := os.Executable()
	check(m.t, err, m.l.Adopt(exe, name), os.WriteFile(filepath.Join(m.l.Version(name), "behaviour"), []byte(behaviour), 0o600))
}

// trial is the journal as an agent leaves it when it has switched.
func (m *machine) trial() {
	m.t.Helper()
	check(m.t, beginTrial(m.l))
}

func beginTrial(l install.Layout) error {
	v, err := version.ParseBinary(newer)
	return errors.Join(err, l.WriteJournal(install.Journal{
		Phase: install.PhaseTrial, Good: old, Trial: &install.Trial{},
		Order: &install.Order{ID: "o1", Tools: tools.Tools{Version: v, SHA256: "d", Size: 1}, Window: 10 * time.Millisecond},
	}))
}

// launch runs a launcher until the test stops it.
func (m *machine) launch(timing launcher.Timing) (stop func()) {
	m.t.Helper()
	exe, err := os.Executable()
	check(m.t, err)
	ctx, cancel := context.WithCancel(m.t.Context())
	ended := make(chan error, 1)
	timing.Backoff = time.Millisecond
	go func() {
		ended <- launcher.Launch(ctx, launcher.Config{Layout: m.l, Exe: exe, Version: old, Logger: slog.New(slog.DiscardHandler), Timing: timing})
	}()
	return func() { cancel(); check(m.t, <-ended) }
}

// wait reads what agents tell until one says that.
func (m *machine) wait(want string) (before []string) {
	m.t.Helper()
	for {
		select {
		case got := <-m.told:
			if got == want {
				return before
			}
			before = append(before, got)
		case <-time.After(30 * time.Second):
			m.t.Fatalf("nobody said %q, only %q", want, before)
		}
	}
}

// drain forgets what agents have told so far.
func (m *machine) drain() {
	for {
		select {
		case <-m.told:
		default:
			return
		}
	}
}

func (m *machine) journal() install.Journal {
	m.t.Helper()
	j, err := m.l.ReadJournal()
	check(m.t, err)
	return j
}

func TestAVersionThatProvesItselfIsKept(t *testing.T) {
	m := newMachine(t)
	m.version(old, "good")
	m.version(newer, "good")
	check(t, m.l.Switch(old))
	m.trial() // the agent died between journal and link: the launcher finishes the switch
	stop := m.launch(launcher.Timing{})
	m.wait(newer + " committed o1")
	j := m.journal()
	if j.Phase != install.PhaseCommitted || j.Good != newer || j.Last != old {
		t.Fatalf("the journal is %+v", j)
	}
	stop()
	if current, err := m.l.Current(); err != nil || current != newer {
		t.Fatalf("the link points to %q, %v", current, err)
	}
}

func TestAVersionThatFailsIsTakenBack(t *testing.T) {
	for kind, want := range map[string]string{
		"exits":          "it exited with code 1",
		"other protocol": "it speaks another protocol",
		"hangs":          "it was not ready within",
		"never healthy":  "it did not prove itself in time",
		"falls silent":   "it said nothing for",
	} {
		t.Run(kind, func(t *testing.T) {
			m := newMachine(t)
			m.version(old, "good")
			m.version(newer, kind)
			check(t, m.l.Switch(newer))
			m.trial()
			timing := launcher.Timing{Trial: 100 * time.Millisecond, Attempts: 2}
			if kind == "falls silent" {
				timing = launcher.Timing{Silence: 300 * time.Millisecond, Attempts: 2}
			}
			if kind == "hangs" {
				timing.Ready = time.Second
			}
			stop := m.launch(timing)
			tries := m.wait(old + " started")
			stop()
			j := m.journal()
			if j.Phase != install.PhaseRolledBack || j.Good != old || j.Failure == nil || !strings.Contains(j.Failure.Text, want) {
				t.Fatalf("the journal is %+v with %+v", j, j.Failure)
			}
			starts := 2
			if kind == "never healthy" {
				starts = 1 // the time of the whole trial was up
			}
			if got := strings.Join(tries, " "); strings.Count(got, newer+" started") != starts || len(tries) != starts {
				t.Fatalf("before the old version came %q", tries)
			}
			if kind == "exits" && !strings.Contains(j.Failure.Output, "cannot go on") {
				t.Fatalf("what it said is lost: %q", j.Failure.Output)
			}
			if current, err := m.l.Current(); err != nil || current != old {
				t.Fatalf("the link points to %q, %v", current, err)
			}
		})
	}
}

func TestWhateverIsBrokenSomethingRuns(t *testing.T) {
	for name, damage := range map[string]func(m *machine) error{
		"no link":       func(m *machine) error { return os.Remove(m.l.Link()) },
		"dangling link": func(m *machine) error { return errors.Join(os.Remove(m.l.Link()), os.Symlink("1.0.0-x-y", m.l.Link())) },
		"a file for a link": func(m *machine) error {
			return errors.Join(os.Remove(m.l.Link()), os.WriteFile(m.l.Link(), nil, 0o600))
		},
		"damaged current": func(m *machine) error {
			return os.WriteFile(filepath.Join(m.l.Version(newer), "jujud"), []byte("x"), 0o755)
		},
		"damaged journal":      func(m *machine) error { return os.WriteFile(m.l.JournalFile(), []byte("{"), 0o600) },
		"stale staging behind": func(m *machine) error { return os.MkdirAll(m.l.Staging()+"-installed/jujud", 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.version(old, "good")
			m.version(newer, "good")
			check(t, m.l.Switch(newer), m.l.WriteJournal(install.Journal{Good: old}), damage(m))
			stop := m.launch(launcher.Timing{})
			select {
			case got := <-m.told:
				if !strings.HasSuffix(got, " started") {
					t.Fatalf("it said %q", got)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("nothing runs")
			}
			stop()
		})
	}
}

func TestASecondLauncherIsRefused(t *testing.T) {
	m := newMachine(t)
	m.version(old, "good")
	check(t, m.l.Switch(old))
	stop := m.launch(launcher.Timing{})
	m.wait(old + " started")
	err := launcher.Launch(t.Context(), launcher.Config{Layout: m.l, Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, host.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Fatalf("the second launcher: %v", err)
	}
	stop()
}
