package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// This test program is also the jujud of a version: the file "says" beside it is what its
// selfcheck says.
func TestMain(m *testing.M) {
	if code, is := Be(os.Args); is {
		os.Exit(code)
	}
	if len(os.Args) > 1 && (os.Args[1] == "selfcheck" || os.Args[1] == "undo-steps") {
		exe, err := os.Executable()
		if err != nil {
			os.Exit(3)
		}
		does, _ := os.ReadFile(filepath.Join(filepath.Dir(exe), "does"))
		misbehave(string(does))
		says, err := os.ReadFile(filepath.Join(filepath.Dir(exe), "says"))
		if err != nil {
			fmt.Fprintln(os.Stderr, "cannot go on")
			os.Exit(1)
		}
		os.Stdout.Write(says)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fakeBus is as connected as its script says; it stores every report.
type fakeBus struct {
	mu        sync.Mutex
	connected []bool // the next answers; the last one stays
	content   []byte
	breaks    int // fetches that end in the middle
	fetched   []int64
	reports   []events.Record
}

func (b *fakeBus) Connected() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.connected[0]
	if len(b.connected) > 1 {
		b.connected = b.connected[1:]
	}
	return c
}

func (b *fakeBus) Orders(ctx context.Context, _ func(events.Record)) error {
	<-ctx.Done()
	return ctx.Err()
}
func (b *fakeBus) Beat(version.Number, tree.Head) error { return nil }
func (b *fakeBus) Report(_ context.Context, rec events.Record) (Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reports = append(b.reports, rec)
	return Stored, nil
}

func (b *fakeBus) Fetch(_ context.Context, _ string, offset int64, w io.Writer) (int64, error) {
	b.mu.Lock()
	b.fetched = append(b.fetched, offset)
	rest, breaks := b.content[offset:], b.breaks > 0
	b.breaks--
	b.mu.Unlock()
	if breaks {
		rest = rest[:len(rest)/2]
	}
	n, err := w.Write(rest)
	if err == nil && breaks {
		err = errors.New("the connection broke")
	}
	return int64(n), err
}

func binOf(t *testing.T, s string) version.Binary {
	t.Helper()
	v, err := version.ParseBinary(s + "-trusty-" + runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// testAgent is an agent of 1.25.1 in a directory of its own, as far as New makes it.
func testAgent(t *testing.T, b *fakeBus, releases ...steps.Release) *Agent {
	t.Helper()
	dir := t.TempDir()
	conf := Conf{Tag: "machine-3", DataDir: dir, Environment: "e", UpgradedToVersion: binOf(t, "1.24.0").Number}
	l := conf.Layout()
	if err := errors.Join(os.MkdirAll(l.Tools(), 0o700), os.MkdirAll(filepath.Join(dir, "log"), 0o700), conf.Save()); err != nil {
		t.Fatal(err)
	}
	n := 0
	a, err := New(Config{
		Conf: conf, Identity: testkey.Of("machine-3"), Bus: b, Own: binOf(t, "1.25.1"), Steps: releases, Now: func() time.Time { return time.Unix(1, 0) },
		NewID: func() string { n++; return fmt.Sprintf("id-%d", n) }, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// waiting are the reports that wait in the outbox.
func waiting(t *testing.T, a *Agent) (list []events.Payload) {
	t.Helper()
	names, err := a.outbox.list()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		rec, err := a.outbox.read(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := events.Decode(rec)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// told are the reports that wait in the outbox, in words.
func told(t *testing.T, a *Agent) (words []string) {
	t.Helper()
	for _, p := range waiting(t, a) {
		switch p := p.(type) {
		case *events.AgentDownloading:
			words = append(words, fmt.Sprintf("%d%%", p.Percent))
		case *events.AgentStepping:
			words = append(words, p.Step+": "+p.Error)
		default:
			words = append(words, p.Kind())
		}
	}
	return words
}

// next is the input that a job brought.
func next(t *testing.T, a *Agent) Input {
	t.Helper()
	select {
	case in := <-a.inputs:
		return in
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came")
	}
	return nil
}

func TestADownloadGoesOnWhereItBrokeAndTellsEveryQuarter(t *testing.T) {
	b := &fakeBus{connected: []bool{true}, content: bytes.Repeat([]byte("x"), 400<<10), breaks: 2}
	a := testAgent(t, b)
	o := install.Order{ID: "o1", Tools: tools.Tools{Version: binOf(t, "1.25.2"), Size: int64(len(b.content)), SHA256: fmt.Sprintf("%x", sha256.Sum256(b.content))}}
	if f := a.downloads.get(t.Context(), o); f != nil {
		t.Fatalf("%+v", f)
	}
	if got := fmt.Sprint(b.fetched); got != "[0 204800 307200]" {
		t.Errorf("it fetched from %s on", got)
	}
	if got := fmt.Sprint(told(t, a)); got != "[50% 75% 100%]" {
		t.Errorf("it told %s", got)
	}
}

func TestADownloadKeepsToItsRateAndEndsWhenItIsWithdrawn(t *testing.T) {
	b := &fakeBus{connected: []bool{true}, content: bytes.Repeat([]byte("x"), 100<<10)}
	a := testAgent(t, b)
	o := install.Order{ID: "o1", Rate: 400 << 10, Tools: tools.Tools{
		Version: binOf(t, "1.25.2"), Size: int64(len(b.content)), SHA256: fmt.Sprintf("%x", sha256.Sum256(b.content)),
	}}
	began := time.Now()
	if f := a.downloads.get(t.Context(), o); f != nil {
		t.Fatalf("%+v", f)
	}
	if took := time.Since(began); took < 240*time.Millisecond {
		t.Errorf("100 KiB at 400 KiB/s took %v", took)
	}
	slow := o
	slow.Rate, slow.Tools.SHA256 = 1, strings.Repeat("b", 64)
	if err := a.do(t.Context(), Download{slow}); err != nil {
		t.Fatal(err)
	}
	if err := a.do(t.Context(), Drop{}); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { a.jobs.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the download goes on")
	}
	if len(a.inputs) > 0 {
		t.Errorf("what was dropped came back as %#v", <-a.inputs)
	}
}

// A version of the same name from another archive is no download of this one.
func TestAnotherArchivesVersionIsNotTakenForThisOne(t *testing.T) {
	b := &fakeBus{connected: []bool{true}, content: []byte("archive")}
	a := testAgent(t, b)
	stage(t, a, "1.25.2")
	o := install.Order{ID: "o1", Tools: tools.Tools{Version: binOf(t, "1.25.2"), Size: 7, SHA256: fmt.Sprintf("%x", sha256.Sum256(b.content))}}
	if f := a.downloads.get(t.Context(), o); f != nil || len(b.fetched) != 1 {
		t.Fatalf("it fetched %v, %+v", b.fetched, f)
	}
}

// stage makes a version of this test program.
func stage(t *testing.T, a *Agent, v string) {
	t.Helper()
	exe, err := os.Executable()
	if err == nil {
		err = a.layout.Adopt(exe, binOf(t, v).String())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// says is what the selfcheck of a staged version says; nil: it ends with 1.
func says(t *testing.T, a *Agent, v string, c *Check) {
	t.Helper()
	file := filepath.Join(a.layout.Version(binOf(t, v).String()), "says")
	if c == nil {
		if err := os.RemoveAll(file); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := json.Marshal(c)
	if err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Each row: what the staged version says of itself, whether this process is connected, and
// how the test ends: whose fault, and the code.
func TestSelfTest(t *testing.T) {
	want, b := binOf(t, "1.25.2"), &fakeBus{}
	a := testAgent(t, b)
	stage(t, a, "1.25.2")
	for name, c := range map[string]struct {
		says      *Check
		connected []bool
		want      string
	}{
		"well":                       {&Check{Version: want}, []bool{true}, ""},
		"another version":            {&Check{Version: binOf(t, "1.25.3")}, []bool{true}, "version version-mismatch"},
		"it ends with an error":      {nil, []bool{true}, "version selfcheck"},
		"it alone is not connected":  {&Check{Version: want, Bus: "refused"}, []bool{true}, "version cannot-connect"},
		"an outage, then it alone":   {&Check{Version: want, Bus: "refused"}, []bool{true, true, false, true}, "version cannot-connect"},
		"nobody is connected: waits": {&Check{Version: want, Bus: "refused"}, []bool{false}, "environment failed"},
	} {
		t.Run(name, func(t *testing.T) {
			b.connected = c.connected
			says(t, a, "1.25.2", c.says)
			ctx := t.Context()
			if strings.HasSuffix(name, "waits") {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, time.Second) // it would go on for a long time
				defer cancel()
			}
			got := ""
			if f := a.test(ctx, want); f != nil {
				got = f.Cause + " " + f.Code
			}
			if got != c.want {
				t.Fatalf("it ended with %q, want %q", got, c.want)
			}
		})
	}
}

func TestStepsAreTakenUntilTheyAreDone(t *testing.T) {
	tries := 0
	release := func(v string, s ...steps.Step) steps.Release {
		return steps.Release{Version: binOf(t, v).Number, Steps: s}
	}
	all := []steps.Target{steps.AllMachines}
	moves := steps.Step{Description: "move the logs", Targets: all, Undo: steps.NothingToUndo, Run: func(context.Context, steps.Host) error {
		if tries++; tries <= 2 {
			return errors.New("no space")
		}
		return nil
	}}
	burnt := 0
	burns := steps.Step{Description: "burn the bridge", Targets: all, Run: func(context.Context, steps.Host) error { burnt++; return nil }}
	elsewhere := steps.Step{Description: "elsewhere", Targets: []steps.Target{steps.StateServer}, Run: func(context.Context, steps.Host) error {
		t.Error("a step for state servers was taken on another machine")
		return nil
	}}
	a := testAgent(t, &fakeBus{connected: []bool{true}}, release("1.24.1", moves), release("1.25.0", burns, elsewhere))
	if err := a.do(t.Context(), TakeSteps{Order: "o1"}); err != nil {
		t.Fatal(err)
	}
	if in := next(t, a); in != (Stepped{Order: "o1", Release: binOf(t, "1.25.0").Number, Closes: "burn the bridge"}) || burnt > 0 {
		t.Fatalf("it stopped with %#v; burnt: %d", in, burnt)
	}
	if got := fmt.Sprint(told(t, a)); got != "[move the logs: no space]" {
		t.Errorf("it told %s", got)
	}
	conf := func() Conf {
		c, err := LoadConf(a.layout.Dir)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := conf(); c.UpgradedToVersion != binOf(t, "1.24.1").Number || c.UpgradingToVersion != binOf(t, "1.25.1").Number {
		t.Fatalf("agent.conf says %s, begun %s", c.UpgradedToVersion, c.UpgradingToVersion)
	}
	if err := a.do(t.Context(), TakeSteps{Order: "o1", Freely: true}); err != nil {
		t.Fatal(err)
	}
	if in := next(t, a); in != (Stepped{Order: "o1"}) || burnt != 1 || tries != 3 {
		t.Fatalf("it ended with %#v; burnt: %d, tries: %d", in, burnt, tries)
	}
	if c := conf(); c.UpgradedToVersion != binOf(t, "1.25.1").Number || !c.UpgradingToVersion.IsZero() {
		t.Fatalf("agent.conf says %s, begun %s", c.UpgradedToVersion, c.UpgradingToVersion)
	}
	if err := UndoSteps(t.Context(), a.cfg.Steps, conf(), false, a.cfg.Own.Number, binOf(t, "1.24.0").Number); err == nil {
		t.Error("what cannot be undone was undone")
	}
	older := binOf(t, "1.24.0").Number
	if err := UndoSteps(t.Context(), a.cfg.Steps[:1], conf(), false, a.cfg.Own.Number, older); err != nil || conf().UpgradedToVersion != older {
		t.Errorf("undoing: %v; agent.conf says %s", err, conf().UpgradedToVersion)
	}
}

// A disk that takes nothing makes the agent wait, not end; and nothing of the step is lost.
func TestAFullDiskIsWaitedFor(t *testing.T) {
	a := testAgent(t, &fakeBus{connected: []bool{true}})
	a.state.Reached, a.alive = a.cfg.Own.Number, time.NewTicker(time.Hour)
	journal := a.layout.JournalFile()
	if err := os.MkdirAll(filepath.Join(journal, "in-the-way"), 0o700); err != nil { // it cannot be replaced
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.step(t.Context(), Withdrawn{Seq: 7}) }()
	select {
	case err := <-ended:
		t.Fatalf("it ended with %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := os.RemoveAll(journal); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if j, jerr := a.layout.ReadJournal(); err != nil || jerr != nil || j.Seq != 7 || a.state.Seq != 7 {
			t.Fatalf("%v, %v: the journal is at %d", err, jerr, j.Seq)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it waits although there is room")
	}
}
