package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/version"
)

func openTestOutbox(t *testing.T, dir, epoch string) *outbox {
	t.Helper()
	n := 0
	o, err := openOutbox(dir, "3", testkey.Of("machine-3"), func() time.Time { return time.Unix(1, 0) }, func() string {
		if n++; n == 1 {
			return epoch
		}
		return fmt.Sprintf("%s-%d", epoch, n)
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func started(t *testing.T, o *outbox) {
	t.Helper()
	v, err := version.ParseBinary("1.25.1-trusty-amd64")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.put(&events.AgentStarted{Version: v, PID: 1}); err != nil {
		t.Fatal(err)
	}
}

// centre is a state server that answers as it is told and remembers what it stored.
type centre struct {
	answers []Answer // the first ones; then Stored
	heard   []string
}

func (c *centre) send(_ context.Context, rec events.Record) (Answer, error) {
	p, err := events.Decode(rec)
	if err != nil {
		return Refused, err
	}
	head := p.(events.Report).Head()
	c.heard = append(c.heard, fmt.Sprintf("%s/%d", head.Epoch, head.N))
	if len(c.answers) == 0 {
		return Stored, nil
	}
	a := c.answers[0]
	c.answers = c.answers[1:]
	if a == Later {
		return Later, errors.New("away")
	}
	return a, nil
}

// sendAll runs the outbox until nothing is left.
func sendAll(t *testing.T, o *outbox, c *centre) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); o.run(ctx, c.send) }()
	if !o.drained(ctx) {
		t.Fatal("the outbox was not drained")
	}
	cancel()
	<-done
}

func TestReportsAreSentInOrderUntilTheyAreStored(t *testing.T) {
	dir := t.TempDir()
	first := openTestOutbox(t, dir, "e1")
	started(t, first)
	started(t, first)
	// The process dies here; the next one sends what it left, and then its own.
	second := openTestOutbox(t, dir, "e2")
	started(t, second)
	c := &centre{answers: []Answer{Later, Later, Stored, Later}}
	sendAll(t, second, c)
	if got, want := strings.Join(c.heard, " "), "e1/1 e1/1 e1/1 e1/2 e1/2 e1/3"; got != want {
		t.Fatalf("the centre heard %s\nwant %s", got, want)
	}
	third := openTestOutbox(t, dir, "e3")
	if !third.drained(t.Context()) {
		t.Fatal("something is left")
	}
	// Nothing waits any more, and yet the numbers go on.
	started(t, third)
	sendAll(t, third, c)
	if got := c.heard[len(c.heard)-1]; got != "e1/4" {
		t.Fatalf("after all was sent the next report is %s", got)
	}
}

// An agent that dies between saying how its order ended and noting that it said so says
// it again; the report is there once while it waits.
func TestAnEndIsPutOnce(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		o := openTestOutbox(t, dir, "e1")
		for range 2 {
			end := &events.RestartDone{PID: 1}
			end.Order = "o1"
			if _, err := o.put(end); err != nil {
				t.Fatal(err)
			}
		}
	}
	c := &centre{}
	sendAll(t, openTestOutbox(t, dir, "e1"), c)
	if got := strings.Join(c.heard, " "); got != "e1/1" {
		t.Fatalf("the centre heard %s", got)
	}
}

func TestARefusedReportIsSetAside(t *testing.T) {
	dir := t.TempDir()
	o := openTestOutbox(t, dir, "e1")
	started(t, o)
	started(t, o)
	if err := os.WriteFile(filepath.Join(dir, "0000000000000003.rec"), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &centre{answers: []Answer{Refused}}
	sendAll(t, o, c)
	if got := strings.Join(c.heard, " "); got != "e1/1 e1/2" {
		t.Fatalf("the centre heard %s", got)
	}
	kept, err := os.ReadDir(filepath.Join(dir, "refused"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("%d reports are set aside, %v; want the refused one and the garbage", len(kept), err)
	}
}
