package writer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// plain is an owner that wants nothing from its writer; tests change what they are about.
type plain struct {
	plan func(decide.At) decide.Decision
	done []string // what was done, in its order
}

func (p *plain) Plan(at decide.At, _ uint64) decide.Decision {
	if p.plan == nil {
		return decide.Decision{}
	}
	return p.plan(at)
}

func (p *plain) Prove(_ context.Context, f *decide.Fact) error {
	if f.Proof.Machine == "unprovable" {
		return errors.New("it cannot be proved")
	}
	return nil
}

func (p *plain) Appended(recs []events.Record, _ time.Duration) {
	p.done = append(p.done, fmt.Sprintf("appended %d", len(recs)))
}
func (p *plain) Want(w decide.Want)           { p.done = append(p.done, fmt.Sprintf("%T", w)) }
func (p *plain) Committed(*projections.State) {}

// testWriter is a writer over a log in memory.
func testWriter(t *testing.T, log events.Log, change ...func(*Config)) (*Writer, *plain) {
	t.Helper()
	n := 0
	cfg := Config{
		Log: log, Actor: "state-server-0", Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Unix(1_700_000_000, 0) }, NewID: func() string { n++; return fmt.Sprintf("id-%d", n) },
	}
	for _, f := range change {
		f(&cfg)
	}
	owner := &plain{}
	return New(cfg, projections.New(), owner), owner
}

func setting(key string) decide.Fact {
	return decide.Fact{Payload: &events.SettingChanged{Key: key, Value: "x"}}
}

// set is a change that records one setting, and tells how it ended.
func set(key string, done chan<- answer) Change {
	return Change{
		Decide: func(decide.At) (decide.Decision, error) {
			return decide.Decision{Facts: []decide.Fact{setting(key)}}, nil
		},
		Done: func(seq uint64, err error) { done <- answer{seq: seq, err: err} },
	}
}

func TestChangesThatWaitAreCommittedTogether(t *testing.T) {
	log := memlog.New()
	w, _ := testWriter(t, log)
	done := make(chan answer, 300)
	for i := range 300 {
		w.Submit(set(fmt.Sprintf("k%d", i), done))
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- w.Run(ctx) }()
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
			w, _ := testWriter(t, log)
			log.Fail(nil, fault, fault, memlog.Lost)
			done := make(chan answer, 3)
			if err := w.Commit(t.Context(), set("a", done), set("b", done)); err != nil {
				t.Fatal(err)
			}
			if err := w.Commit(t.Context(), set("c", done)); err != nil {
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
	w, _ := testWriter(t, log)
	log.Fail(func() events.Record {
		rec, err := events.New(events.Envelope{ID: "rival", Time: time.Unix(1, 0), Actor: "state-server-1"}, &events.SettingChanged{Key: "r"})
		if err != nil {
			t.Error(err)
		}
		return rec
	}, memlog.Beaten)
	done := make(chan answer, 1)
	if err := w.Commit(t.Context(), set("a", done)); !errors.Is(err, events.ErrConflict) {
		t.Fatalf("commit: %v, want ErrConflict", err)
	}
	if a := <-done; !errors.Is(a.err, ErrStopped) {
		t.Fatalf("the sender was told %d, %v; want ErrStopped", a.seq, a.err)
	}
}

func TestAFullQueueSendsBack(t *testing.T) {
	w, _ := testWriter(t, memlog.New(), func(c *Config) { c.Queue = 1 })
	done := make(chan answer, 2)
	w.Submit(set("a", done))
	w.Submit(set("b", done))
	if a := <-done; !errors.Is(a.err, ErrBusy) {
		t.Fatalf("the second change ended with %v, want ErrBusy", a.err)
	}
}

func TestAViewSeesOnlyWhatIsCommitted(t *testing.T) {
	log := memlog.New()
	w, _ := testWriter(t, log)
	done := make(chan answer, 2)
	seen := make(chan uint64, 1)
	w.Submit(set("b", done))
	w.Submit(Change{view: func(s *projections.State) {
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
func many(n int, fails error, done chan<- answer) Change {
	return Change{
		Decide: func(decide.At) (d decide.Decision, _ error) {
			for i := range n {
				d.Facts = append(d.Facts, setting(fmt.Sprintf("k%d", i)))
			}
			return d, fails
		},
		Done: func(seq uint64, err error) { done <- answer{seq: seq, err: err} },
	}
}

func TestADecisionIsRecordedWholeOrNotAtAll(t *testing.T) {
	refused := errors.New("refused in the middle")
	log := memlog.New()
	w, _ := testWriter(t, log)
	done := make(chan answer, 5)
	batch := []Change{many(600, nil, done), many(3, refused, done), many(600, nil, done), many(events.MaxBatch+1, nil, done), many(1, nil, done)}
	if err := w.Commit(t.Context(), batch...); err != nil {
		t.Fatal(err)
	}
	for i, want := range []answer{{seq: 600}, {seq: 600, err: refused}, {seq: 1200}, {seq: 1200, err: ErrTooMuch}, {seq: 1201}} {
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
	w, owner := testWriter(t, log)
	planned := 0
	owner.plan = func(at decide.At) decide.Decision {
		if at.State.Settings["planned"] != "" {
			return decide.Decision{}
		}
		planned++
		return decide.Decision{Facts: []decide.Fact{setting("planned")}, Wants: []decide.Want{decide.ForgetFetch{}}}
	}
	done := make(chan answer, 1)
	if err := w.Commit(t.Context(), many(events.MaxBatch, nil, done)); err != nil {
		t.Fatal(err)
	}
	if last, _ := log.Last(t.Context()); last != events.MaxBatch+1 || planned != 2 {
		t.Fatalf("the log ends at %d after %d tries to plan", last, planned)
	}
	if got, want := fmt.Sprint(owner.done), fmt.Sprintf("[appended %d appended 1 decide.ForgetFetch]", events.MaxBatch); got != want {
		t.Fatalf("done was %s; want %s: the plan that was dropped has no effect", got, want)
	}
}

// What a decision wants is done when it is on disk, and never when it is not.
func TestABatchThatIsDroppedHasNoEffect(t *testing.T) {
	wanted := Change{Decide: func(decide.At) (decide.Decision, error) {
		return decide.Decision{Facts: []decide.Fact{setting("a")}, Wants: []decide.Want{decide.FetchTools{}}}, nil
	}}
	log := memlog.New()
	w, owner := testWriter(t, log)
	if err := w.Commit(t.Context(), wanted); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(owner.done); got != "[appended 1 decide.FetchTools]" {
		t.Fatalf("done was %s", got)
	}
	w, owner = testWriter(t, log, func(c *Config) { c.NewID = func() string { return "another" } }) // it believes that the log is empty
	if err := w.Commit(t.Context(), wanted); !errors.Is(err, events.ErrConflict) {
		t.Fatalf("commit: %v, want ErrConflict", err)
	}
	if len(owner.done) != 0 {
		t.Fatalf("done was %v, although nothing was stored", owner.done)
	}
}

// An order whose proof cannot be made is left out; the others are recorded, and the next
// plan says it again.
func TestWhatCannotBeProvedIsPlannedAgain(t *testing.T) {
	log := memlog.New()
	w, owner := testWriter(t, log)
	plans := 0
	owner.plan = func(decide.At) (d decide.Decision) {
		plans++
		for _, machine := range []string{"1", "unprovable"} {
			f := setting(machine)
			f.Proof = &decide.Inclusion{Machine: machine}
			d.Facts = append(d.Facts, f)
		}
		return d
	}
	for range 2 {
		if err := w.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if last, _ := log.Last(t.Context()); last != 2 || plans != 2 {
		t.Fatalf("the log ends at %d after %d plans, want 2 after 2", last, plans)
	}
}

// A decision that the log cannot hold is replaced by what it says itself, or is an error.
func TestWhatTheLogCannotHold(t *testing.T) {
	log := memlog.New()
	w, _ := testWriter(t, log)
	done := make(chan answer, 2)
	for _, otherwise := range []func(error) []decide.Fact{nil, func(error) []decide.Fact { return []decide.Fact{setting("refused")} }} {
		err := w.Commit(t.Context(), Change{
			Decide: func(decide.At) (decide.Decision, error) {
				return decide.Decision{Facts: []decide.Fact{setting("a"), setting("")}, Otherwise: otherwise}, nil
			},
			Done: func(seq uint64, err error) { done <- answer{seq: seq, err: err} },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if a := <-done; a.err == nil || NotStored(a.err) {
		t.Errorf("without another word it ended with %v", a.err)
	}
	if a := <-done; a.err != nil || a.seq != 1 || w.State().Settings["refused"] != "x" || w.State().Settings["a"] != "" {
		t.Errorf("with another word it ended with %d, %v; the settings are %v", a.seq, a.err, w.State().Settings)
	}
}

// A decision that needs itself on disk first is followed by another plan at once.
func TestAPlanIsAskedForAgain(t *testing.T) {
	w, owner := testWriter(t, memlog.New())
	plans := 0
	owner.plan = func(decide.At) decide.Decision { plans++; return decide.Decision{Again: plans < 3} }
	if err := w.Commit(t.Context()); err != nil || plans != 3 {
		t.Fatalf("%d plans, %v; want 3", plans, err)
	}
}

// The writer ends at any moment; everybody who hands it something is answered all the same.
func TestNobodyWaitsForAWriterThatEnded(t *testing.T) {
	for range 50 {
		w, _ := testWriter(t, memlog.New())
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if err := w.Do(t.Context(), set(fmt.Sprintf("k%d", i), nil).Decide); err != nil && !errors.Is(err, ErrStopped) {
					t.Errorf("do: %v", err)
				}
				if err := w.Look(t.Context(), func(*projections.State) {}); err != nil && !errors.Is(err, ErrStopped) {
					t.Errorf("look: %v", err)
				}
			})
		}
		all.Go(func() { _ = w.Run(ctx) })
		cancel()
		all.Wait()
		if err := w.Do(t.Context(), set("late", nil).Decide); !errors.Is(err, ErrStopped) {
			t.Fatalf("after its end: %v", err)
		}
	}
}

// While there is no room nothing is decided, looks go on, and who waits is kept in his order.
func TestB14WithoutRoomTheWriterHoldsAndShows(t *testing.T) {
	var full atomic.Bool
	log := memlog.New()
	w, _ := testWriter(t, log, func(c *Config) {
		c.Room = func() *events.Reason {
			if full.Load() {
				return events.Refuse(events.CodeDiskFull, "it is full")
			}
			return nil
		}
	})
	done := make(chan answer, 3)
	if err := w.SubmitWait(t.Context(), set("a", done)); err != nil {
		t.Fatal(err)
	}
	if err := w.SubmitWait(t.Context(), set("b", done)); err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ran := make(chan error)
	go func() { ran <- w.Run(ctx) }()
	refused := make(chan answer, 1)
	w.Submit(set("nobody waits", refused))
	if a := <-refused; events.CodeOf(a.err) != events.CodeDiskFull || !NotStored(a.err) {
		t.Fatalf("without room a change ends with %v", a.err)
	}
	if err := w.Look(t.Context(), func(st *projections.State) { full.Store(st.Seq != 0) }); err != nil || full.Load() {
		t.Fatalf("without room, a look: %v", err)
	}
	for want := uint64(1); want <= 2; want++ {
		if a := <-done; a.err != nil || a.seq != want {
			t.Fatalf("change %d, which waited, ended with sequence %d, %v", want, a.seq, a.err)
		}
	}
	full.Store(true)
	w.Submit(set("again", refused))
	<-refused
	late, over := context.WithCancel(t.Context())
	over()
	if err := w.SubmitWait(late, set("late", done)); !errors.Is(err, context.Canceled) {
		t.Fatalf("without room, who waits no longer: %v", err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
}

// What the log does not take is mended before it is tried again.
func TestB14TheStoreIsMendedBeforeItIsTriedAgain(t *testing.T) {
	log := memlog.New()
	mended := 0
	w, _ := testWriter(t, log, func(c *Config) { c.Mend = func() { mended++ } })
	log.Fail(nil, memlog.Lost, memlog.Lost)
	if err := w.Commit(t.Context(), set("a", make(chan answer, 1))); err != nil || mended == 0 {
		t.Fatalf("mended %d times, %v", mended, err)
	}
}
