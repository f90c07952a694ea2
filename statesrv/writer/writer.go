package writer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// Config is what a Writer needs. All fields without a stated zero value are required.
type Config struct {
	Log    events.Log
	Actor  string        // of facts that name none: the state server
	Signer events.Signer // of every record but reports; nil: nothing is signed

	Environment string // UUID, which is signed with each record
	Now         func() time.Time
	NewID       func() string // gives ids that were never given out
	Logger      *slog.Logger
	Pause       func(context.Context, time.Duration) error // nil: wait that long; simulated fleets have another clock
	Room        func() *events.Reason                      // asked before each batch: why nothing may be written; nil: there always is room
	Mend        func()                                     // called when the log did not take a batch, before it is tried again; nil: nothing
	Queue       int                                        // changes that may wait; 0: limits.QueuedChanges
}

// Owner is whom a writer serves. The writer's goroutine calls all of it, in this order for
// each batch.
type Owner interface {
	// Plan says what follows from the state with everything that was decided so far; it goes
	// into the same batch. committed is the log's end before the batch. It may be called
	// again with the same state.
	Plan(at decide.At, committed uint64) decide.Decision

	// Prove completes the payload of a fact that asks for a proof.
	Prove(ctx context.Context, f *decide.Fact) error

	// Appended is told which records a batch has put on disk, and how long that took.
	Appended(recs []events.Record, elapsed time.Duration)

	// Want does what a decision wants, now that its facts are on disk.
	Want(w decide.Want)

	// Committed is called after each batch, also after one without records.
	Committed(s *projections.State)
}

// Writer owns the state and the log's end. Run, Step and Commit are for one goroutine at a
// time; it is called the writer's goroutine. Every other method may be called by any.
type Writer struct {
	cfg   Config
	owner Owner
	queue chan Change
	ended chan struct{} // closed when nothing is taken from the queue any more

	// state is everything that is committed, and, while a batch is being made, what was
	// decided in it. Only the writer's goroutine reads or changes it. It is never shown to
	// others before the batch is on disk: a view ends a batch.
	state *projections.State
	held  []Change // that came while there was no room, and that their senders wait for; the writer's goroutine only

	mu    sync.Mutex    // guards roomy
	roomy chan struct{} // closed while there is room
}

// New makes a writer that goes on behind the last record of the log, whose fold state is.
// The state belongs to the writer from now on. Nothing is started.
func New(cfg Config, state *projections.State, owner Owner) *Writer {
	if cfg.Queue == 0 {
		cfg.Queue = limits.QueuedChanges
	}
	if cfg.Pause == nil {
		cfg.Pause = host.Wait
	}
	w := &Writer{cfg: cfg, owner: owner, state: state, queue: make(chan Change, cfg.Queue), ended: make(chan struct{}), roomy: make(chan struct{})}
	close(w.roomy)
	return w
}

// Waiting is how many changes wait in the queue.
func (w *Writer) Waiting() int { return len(w.queue) }

// State is everything that is committed. It is for the writer's goroutine, between batches.
func (w *Writer) State() *projections.State { return w.state }

// Submit queues a change. When the queue is full, the change ends at once with ErrBusy, and while there
// is no room with the reason.
func (w *Writer) Submit(c Change) {
	select {
	case w.queue <- c:
		w.drainIfEnded()
	default:
		c.end(0, ErrBusy)
	}
}

// SubmitWait queues a change, and waits for room and for a place in the queue. With an error, which is
// ErrStopped or that of ctx, the change was not queued and Done is not called.
func (w *Writer) SubmitWait(ctx context.Context, c Change) error {
	c.waits = true
	if c.view == nil {
		if err := w.awaitRoom(ctx); err != nil {
			return err
		}
	}
	select {
	case w.queue <- c:
		w.drainIfEnded()
		return nil
	case <-w.ended:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Do decides, and waits until what was decided is on disk.
func (w *Writer) Do(ctx context.Context, d Decide) error {
	done := make(chan error, 1)
	return w.await(ctx, Change{Decide: d, Done: func(_ uint64, err error) { done <- err }}, done)
}

// Look lets f look at committed state, and waits for it. f must not keep the state.
func (w *Writer) Look(ctx context.Context, f func(*projections.State)) error {
	done := make(chan error, 1)
	return w.await(ctx, Change{
		view: func(st *projections.State) { f(st); done <- nil },
		Done: func(_ uint64, err error) { done <- err },
	}, done)
}

// View queues a look at committed state. Either f is called, or failed with ErrBusy or
// ErrStopped. f must not wait, nor keep the state.
func (w *Writer) View(f func(*projections.State), failed func(error)) {
	w.Submit(Change{view: f, Done: func(_ uint64, err error) { failed(err) }})
}

func (w *Writer) await(ctx context.Context, c Change, done <-chan error) error {
	if err := w.SubmitWait(ctx, c); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Run decides and commits until ctx ends or another writer has written. Changes that still
// wait then, or come later, end with ErrStopped.
func (w *Writer) Run(ctx context.Context) error {
	defer w.drain()
	defer close(w.ended)
	defer w.dropHeld()
	look := time.NewTicker(roomEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			if err := w.resume(ctx); err != nil {
				return err
			}
		case first := <-w.queue:
			if err := w.step(ctx, first); err != nil {
				return err
			}
		}
	}
}

// Flush commits what is queued, in batches as Run does, and returns when nothing waits any
// more. It is for whoever drives a writer by hand instead of calling Run. With an error the
// writer is of no use any more, and what waited has ended with ErrStopped.
func (w *Writer) Flush(ctx context.Context) error {
	for {
		select {
		case first := <-w.queue:
			if err := w.step(ctx, first); err != nil {
				w.dropHeld()
				w.drain()
				return err
			}
		default:
			return nil
		}
	}
}

func (w *Writer) drain() {
	for {
		select {
		case c := <-w.queue:
			c.end(0, ErrStopped)
		default:
			return
		}
	}
}

// drainIfEnded ends a change that was queued after Run had emptied the queue. Run closes
// ended before it empties the queue, so a change is either seen by Run or by its sender here.
func (w *Writer) drainIfEnded() {
	select {
	case <-w.ended:
		w.drain()
	default:
	}
}
