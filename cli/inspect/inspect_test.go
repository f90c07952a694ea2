package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections/scenario"
	"github.com/jujube-project/jujube/projections/status"
	"github.com/jujube-project/jujube/statesrv"
)

const readStory = `
env demo 1.24.0
enrol 0 1.24.0 server
start 0 1.24.0
enrol 1 1.24.0
start 1 1.24.0
unit web/0 1
ask u1 1.25.0
accept u1 1.24.0 1.25.0 0,1
order 0 u1 1.24.0 1.25.0
upgraded 0 u1 1.25.0
order 1 u1 1.24.0 1.25.0
`

// bench is a reader of a log in memory, with a state server that serves it.
type bench struct {
	reader
	log    *memlog.Log
	recs   []events.Record
	out    bytes.Buffer
	answer func(query string) ([]byte, error)
}

func newBench(t *testing.T, story string) *bench {
	t.Helper()
	b := &bench{log: memlog.New(), recs: scenario.New().Lines(story).Records}
	if _, err := b.log.Append(t.Context(), 0, b.recs...); err != nil {
		t.Fatal(err)
	}
	b.answer = func(query string) ([]byte, error) {
		s, err := foldLog(t.Context(), b.log, "", moment{})
		if err != nil {
			return nil, err
		}
		if query == "digest" {
			return json.Marshal(wire.Position{Seq: s.Seq, Digest: s.Digest()})
		}
		return json.Marshal(status.Make(s))
	}
	b.reader = reader{
		stdout: &b.out, stderr: io.Discard, dataDir: func() string { return "" }, root: func() (string, error) { return "", nil },
		witness: func() (*session.Witness, error) { return &session.Witness{}, nil },
		connect: func(context.Context) (logSource, error) {
			ask := wire.AskerFunc(func(_ context.Context, query string, _ []byte) ([]byte, error) { return b.answer(query) })
			return logSource{log: b.log, ask: ask, witness: &session.Witness{}, close: func() {}}, nil
		},
	}
	return b
}

func (b *bench) status() *cobra.Command { return (&showStatus{reader: &b.reader}).command() }

func (b *bench) audit() *cobra.Command {
	return auditCommand(func() *reader { r := b.reader; return &r })
}

// run runs a command and gives what it printed.
func (b *bench) run(ctx context.Context, cmd *cobra.Command, args ...string) (string, error) {
	b.out.Reset()
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(ctx)
	return b.out.String(), err
}

func TestStatusFromTheLogIsWhatTheStateServerSays(t *testing.T) {
	b := newBench(t, readStory)
	for _, format := range status.Formats {
		asked, err := b.run(t.Context(), b.status(), "--format", format)
		if err != nil {
			t.Fatal(err)
		}
		folded, err := b.run(t.Context(), b.status(), "--format", format, "--from-log")
		if err != nil {
			t.Fatal(err)
		}
		if asked != folded || asked == "" {
			t.Errorf("%s: the state server says\n%s\nthe log\n%s", format, asked, folded)
		}
	}
}

func TestB14StatusSaysThatNothingIsWritten(t *testing.T) {
	b := newBench(t, readStory)
	answers, said := b.answer, bytes.Buffer{}
	b.stderr = &said
	b.answer = func(query string) ([]byte, error) {
		if query == "version" {
			return json.Marshal(wire.Running{Stopped: events.Refuse(events.CodeDiskFull, "the disk is full")})
		}
		return answers(query)
	}
	if out, err := b.run(t.Context(), b.status()); err != nil || !strings.Contains(out, "in-progress") || said.String() != "WARNING the disk is full\n" {
		t.Fatalf("it shows %q and says %q, %v", out, said.String(), err)
	}
}

func TestStatusWithoutAStateServerNamesTheWayOut(t *testing.T) {
	b := newBench(t, readStory)
	b.answer = func(string) ([]byte, error) { return nil, bus.ErrNoStateServer }
	if _, err := b.run(t.Context(), b.status()); err == nil || !strings.Contains(err.Error(), "juju status --from-log") {
		t.Errorf("got %v", err)
	}
	if out, err := b.run(t.Context(), b.status(), "--from-log"); err != nil || !strings.Contains(out, "in-progress") {
		t.Errorf("got %v\n%s", err, out)
	}
}

func TestStatusWritesAFile(t *testing.T) {
	b := newBench(t, readStory)
	file := filepath.Join(t.TempDir(), "status.json")
	if out, err := b.run(t.Context(), b.status(), "--format", "json", "-o", file, "web"); err != nil || out != "" {
		t.Fatalf("%v, printed %q", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if st, err := status.Parse(text); err != nil || len(st.Machines) != 1 || len(st.Services) != 1 {
		t.Errorf("%v: %s", err, text)
	}
}

func TestStatusRefusesBeforeItAsks(t *testing.T) {
	b := newBench(t, readStory)
	b.connect = func(context.Context) (logSource, error) { t.Error("it asked"); return logSource{}, errors.New("no") }
	for _, args := range [][]string{{"--format", "xml"}, {"we;b"}, {"--watch", "-o", "x"}} {
		if _, err := b.run(t.Context(), b.status(), args...); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

// screens is a terminal that tells of every screen drawn on it.
type screens chan string

func (s screens) Write(p []byte) (int, error) {
	if string(p) != clearScreen {
		s <- string(p)
	}
	return len(p), nil
}

func TestStatusWatchDrawsEveryChange(t *testing.T) {
	b := newBench(t, readStory)
	drawn := make(screens)
	b.stdout, b.screen = drawn, drawn
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		_, err := b.run(ctx, b.status(), "--watch", "--format", "summary")
		ended <- err
	}()
	if first := <-drawn; !strings.Contains(first, "1 of 2 machines, 1 in flight") {
		t.Errorf("first\n%s", first)
	}
	more := scenario.New().Lines(readStory + "upgraded 1 u1 1.25.0\ncomplete u1 1.25.0").Records[len(b.recs):]
	if _, err := b.log.Append(ctx, uint64(len(b.recs)), more...); err != nil {
		t.Fatal(err)
	}
	if second := <-drawn; !strings.Contains(second, "demo at 1.25.0") {
		t.Errorf("second\n%s", second)
	}
	cancel()
	for {
		select {
		case <-drawn: // a change drawn once more
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			return
		}
	}
}

func TestAuditLogFiltersAndFormats(t *testing.T) {
	b := newBench(t, readStory)
	out, err := b.run(t.Context(), b.audit(), "log", "--machine", "1", "--kind", "order.*", "--utc")
	if err != nil || strings.Count(out, "\n") != 2 || !strings.Contains(out, "move from 1.24.0 to 1.25.0") {
		t.Errorf("%v\n%s", err, out)
	}
	out, err = b.run(t.Context(), b.audit(), "log", "--format", "jsonl")
	if err != nil || strings.Count(out, "\n") != len(b.recs) {
		t.Errorf("%v\n%s", err, out)
	}
	for _, wrong := range []struct{ flag, word, says string }{
		{"--kind", "order.isued", `near it are: order.issued, order.refused`},
		{"--kind", "weather", `near it are: agent.*, `},
		{"--machine", "7", "it tells of: 0, 1"},
	} {
		out, err := b.run(t.Context(), b.audit(), "log", wrong.flag, wrong.word)
		if err == nil || !strings.Contains(err.Error(), wrong.says) {
			t.Errorf("%s %s: %v\n%s", wrong.flag, wrong.word, err, out)
		}
	}
	for _, right := range []string{"order.issued/1", "order.*", "setting.changed"} { // the last is known, and not in this log
		if _, err := b.run(t.Context(), b.audit(), "log", "--kind", right); err != nil {
			t.Errorf("--kind %s: %v", right, err)
		}
	}
	if _, err := b.run(t.Context(), b.audit(), "log", "--since", "noon"); err == nil {
		t.Error("noon is a time")
	}
}

func TestAuditReplayShowsThePast(t *testing.T) {
	b := newBench(t, readStory)
	out, err := b.run(t.Context(), b.audit(), "replay", "--at", "3", "--format", "oneline")
	if err != nil || out != "- machine-0: host0 (started) 1.24.0\n" {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := b.run(t.Context(), b.audit(), "replay", "--at", "100"); err == nil {
		t.Error("replayed what is not there yet")
	}
}

func TestAuditVerify(t *testing.T) {
	b := newBench(t, readStory)
	out, err := b.run(t.Context(), b.audit(), "verify")
	if err != nil || !strings.Contains(out, "The log is whole.") || !strings.Contains(out, "u1-1 of machine 1, open since 11") {
		t.Errorf("%v\n%s", err, out)
	}
	b.answer = func(string) ([]byte, error) { return nil, bus.ErrNoStateServer }
	if out, err = b.run(t.Context(), b.audit(), "verify"); err != nil || !strings.Contains(out, "no state server answers") {
		t.Errorf("%v\n%s", err, out)
	}
	b.answer = func(string) ([]byte, error) { return json.Marshal(wire.Position{Seq: 11, Digest: "another"}) }
	if out, err = b.run(t.Context(), b.audit(), "verify"); err == nil || !strings.Contains(out, "FOUND at 11 (served-digest)") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAuditReadsADeadEnvironment(t *testing.T) {
	b := newBench(t, readStory)
	dir := deadEnvironment(t, b.recs)
	b.offline = statesrv.OpenOffline
	b.dataDir = func() string { return dir }
	b.connect = func(context.Context) (logSource, error) { return logSource{}, errors.New("connection refused") }
	if out, err := b.run(t.Context(), b.audit(), "verify", "--format", "json"); err != nil || !strings.Contains(out, `"records": 11`) {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := b.run(t.Context(), b.status(), "--from-log"); err != nil || !strings.Contains(out, "in-progress") {
		t.Errorf("%v\n%s", err, out)
	}
}
