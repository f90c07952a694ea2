package statesrv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// testWriter is a writer over a log in memory, without a plan.
func testWriter(t *testing.T, log events.Log) *writer {
	t.Helper()
	n := 0
	return &writer{
		log: log, queue: make(chan change, 1000), ended: make(chan struct{}), state: projections.New(), plan: func(*draft) error { return nil },
		kept: func([]events.Record) {}, stored: func(*projections.State) {}, actor: "state-server-0", metrics: newMetrics(func() float64 { return 0 }), logger: slog.New(slog.DiscardHandler),
		now: func() time.Time { return time.Unix(1_700_000_000, 0) }, newID: func() string { n++; return fmt.Sprintf("id-%d", n) },
	}
}

// set is a change that records one setting, and tells how it ended.
func set(key string, done chan<- answer) change {
	return change{
		decide: func(d *draft) error {
			_, err := d.add("", "", "", &events.SettingChanged{Key: key, Value: "x"})
			return err
		},
		done: func(seq uint64, err error) { done <- answer{seq: seq, err: err} },
	}
}

func TestChangesThatWaitAreCommittedTogether(t *testing.T) {
	log := memlog.New()
	w := testWriter(t, log)
	done := make(chan answer, 300)
	for i := range 300 {
		w.submit(set(fmt.Sprintf("k%d", i), done))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- w.run(ctx) }()
	for want := uint64(1); want <= 300; want++ {
		if a := <-done; a.err != nil || a.seq != want {
			t.Fatalf("change %d ended with sequence %d, %v", want, a.seq, a.err)
		}
	}
	cancel()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	if last, _ := log.Last(t.Context()); last != 300 {
		t.Fatalf("the log ends at %d", last)
	}
}

func TestAnUnknownOutcomeIsFoundOut(t *testing.T) {
	for name, fault := range map[string]memlog.Fault{"nothing was stored": memlog.Lost, "all was stored": memlog.Unacked} {
		t.Run(name, func(t *testing.T) {
			log := memlog.New()
			w := testWriter(t, log)
			log.Fail(nil, fault, fault, memlog.Lost)
			done := make(chan answer, 3)
			if err := w.commit(t.Context(), []change{set("a", done), set("b", done)}); err != nil {
				t.Fatal(err)
			}
			if err := w.commit(t.Context(), []change{set("c", done)}); err != nil {
				t.Fatal(err)
			}
			var keys string
			for rec, err := range log.Read(t.Context(), 1, 3) {
				if err != nil {
					t.Fatal(err)
				}
				p, err := events.Decode(rec)
				if err != nil {
					t.Fatal(err)
				}
				keys += p.(*events.SettingChanged).Key
			}
			if last, _ := log.Last(t.Context()); keys != "abc" || last != 3 {
				t.Fatalf("the log holds %q and ends at %d; want abc, each once", keys, last)
			}
		})
	}
}

func TestADeposedWriterStepsDown(t *testing.T) {
	log := memlog.New()
	w := testWriter(t, log)
	log.Fail(func() events.Record {
		rec, err := events.New(events.Envelope{ID: "rival", Time: time.Unix(1, 0), Actor: "state-server-1"}, &events.SettingChanged{Key: "r"})
		if err != nil {
			t.Error(err)
		}
		return rec
	}, memlog.Beaten)
	done := make(chan answer, 1)
	if err := w.commit(t.Context(), []change{set("a", done)}); !errors.Is(err, events.ErrConflict) {
		t.Fatalf("commit: %v, want ErrConflict", err)
	}
	if a := <-done; !errors.Is(a.err, errStopped) {
		t.Fatalf("the sender was told %d, %v; want errStopped", a.seq, a.err)
	}
}

func TestAFullQueueSendsBack(t *testing.T) {
	w := testWriter(t, memlog.New())
	w.queue = make(chan change, 1)
	done := make(chan answer, 2)
	w.submit(set("a", done))
	w.submit(set("b", done))
	if a := <-done; !errors.Is(a.err, errBusy) {
		t.Fatalf("the second change ended with %v, want errBusy", a.err)
	}
}

func TestAViewSeesOnlyWhatIsCommitted(t *testing.T) {
	log := memlog.New()
	w := testWriter(t, log)
	done := make(chan answer, 2)
	seen := make(chan uint64, 1)
	w.submit(set("b", done))
	w.submit(change{view: func(s *projections.State) {
		last, err := log.Last(t.Context())
		if err != nil || last != s.Seq {
			t.Errorf("the view sees %d, the log ends at %d, %v", s.Seq, last, err)
		}
		seen <- s.Seq
	}})
	if err := w.step(t.Context(), set("a", done)); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != 2 {
		t.Fatalf("the view saw sequence %d, want 2", got)
	}
}

// many is a change that records n settings, or nothing and an error.
func many(n int, fails error, done chan<- answer) change {
	return change{
		decide: func(d *draft) error {
			for i := range n {
				if _, err := d.add("", "", "", &events.SettingChanged{Key: fmt.Sprintf("k%d", i), Value: "x"}); err != nil {
					return err
				}
			}
			return fails
		},
		done: func(seq uint64, err error) { done <- answer{seq: seq, err: err} },
	}
}

func TestADecisionIsRecordedWholeOrNotAtAll(t *testing.T) {
	refused := errors.New("refused in the middle")
	log := memlog.New()
	w := testWriter(t, log)
	done := make(chan answer, 5)
	batch := []change{many(600, nil, done), many(3, refused, done), many(600, nil, done), many(events.MaxBatch+1, nil, done), many(1, nil, done)}
	if err := w.commit(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for i, want := range []answer{{seq: 600}, {seq: 600, err: refused}, {seq: 1200}, {seq: 1200, err: errTooMuch}, {seq: 1201}} {
		if got := <-done; got.seq != want.seq || !errors.Is(got.err, want.err) {
			t.Errorf("change %d ended with %d, %v; want %d, %v", i, got.seq, got.err, want.seq, want.err)
		}
	}
	if last, _ := log.Last(t.Context()); last != 1201 || w.state.Seq != last {
		t.Fatalf("the log ends at %d, the state is at %d", last, w.state.Seq)
	}
}

func TestAPlanThatDoesNotFitFollowsInTheNextBatch(t *testing.T) {
	log := memlog.New()
	w := testWriter(t, log)
	planned := 0
	w.plan = func(d *draft) error {
		if d.state.Settings["planned"] == "" {
			planned++
			_, err := d.add("", "", "", &events.SettingChanged{Key: "planned", Value: "x"})
			return err
		}
		return nil
	}
	done := make(chan answer, 1)
	if err := w.commit(t.Context(), []change{many(events.MaxBatch, nil, done)}); err != nil {
		t.Fatal(err)
	}
	if last, _ := log.Last(t.Context()); last != events.MaxBatch+1 || planned != 2 {
		t.Fatalf("the log ends at %d after %d tries to plan", last, planned)
	}
}

// The writer ends at any moment; everybody who hands it something is answered all the same.
func TestNobodyWaitsForAWriterThatEnded(t *testing.T) {
	for range 50 {
		w := testWriter(t, memlog.New())
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if err := w.do(t.Context(), set(fmt.Sprintf("k%d", i), nil).decide); err != nil && !errors.Is(err, errStopped) {
					t.Errorf("do: %v", err)
				}
				if err := w.look(t.Context(), func(*projections.State) {}); err != nil && !errors.Is(err, errStopped) {
					t.Errorf("look: %v", err)
				}
			})
		}
		all.Go(func() { _ = w.run(ctx) })
		cancel()
		all.Wait()
		if err := w.do(t.Context(), set("late", nil).decide); !errors.Is(err, errStopped) {
			t.Fatalf("after its end: %v", err)
		}
	}
}

// Two copies of a report wait when the log is lost: neither sender may take the other's
// copy for stored.
func TestACopyOfWhatWasNotStoredIsNoDuplicate(t *testing.T) {
	w := testWriter(t, memlog.New())
	w.state = environment("1.25.0")
	s := &Server{cfg: Config{Now: func() time.Time { return judged }}, metrics: w.metrics}
	term := &term{Server: s, writer: w, presence: newPresence(judged), authentic: func(*projections.Machine, events.Record) error { return nil }}
	report := &events.AgentStarted{Version: bin("1.25.0")}
	report.SetHead(events.ReportHead{Machine: "1", Epoch: "e", N: 1})
	answers := make(chan wire.ReportAnswer, 2)
	for range 2 {
		term.onReport(bus.Report{Machine: "machine-1", Data: mustMarshal(t, report), Answer: func(a wire.ReportAnswer) { answers <- a }})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the log cannot be reached any more
	if err := w.step(ctx, <-w.queue); err == nil {
		t.Fatal("the batch was committed")
	}
	for range 2 {
		if a := <-answers; a.Code != wire.ReportRetry {
			t.Errorf("a sender was told %+v", a)
		}
	}
}
