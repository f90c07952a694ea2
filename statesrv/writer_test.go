package statesrv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// testWriter is a writer over a log in memory, without a plan.
func testWriter(t *testing.T, log events.Log) *writer {
	t.Helper()
	n := 0
	return &writer{
		log: log, queue: make(chan change, 1000), ended: make(chan struct{}), state: projections.New(), plan: func(*draft) error { return nil },
		stored: func(*projections.State) {}, actor: "state-server-0", metrics: newMetrics(func() float64 { return 0 }), logger: slog.New(slog.DiscardHandler),
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
