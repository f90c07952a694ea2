package statesrv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
)

// change is one input to the writer. decide adds what happened to the draft, all of it
// or, with an error, nothing; it is called again when its records do not fit into a
// batch that others have begun. done is told once: the sequence of the last record that
// decide added, or of the log's end, when all of it is on disk.
type change struct {
	decide func(d *draft) error
	done   func(seq uint64, err error)
	view   func(s *projections.State) // instead of decide: looks at committed state only
}

// errBusy: the queue is full. The sender tries again later.
var errBusy = errors.New("the state server is busy; try again")

// errStopped: the writer no longer leads or runs. It is unknown whether the change was
// stored; sending it again does no harm.
var errStopped = errors.New("the state server is stopping; try again")

// errTooMuch: one decision has more records than a batch takes.
var errTooMuch = fmt.Errorf("it would take more than %d records at once", events.MaxBatch)

// notStored says whether err means "send it again", not that the change was refused.
func notStored(err error) bool { return errors.Is(err, errBusy) || errors.Is(err, errStopped) }

// queueLength bounds how many changes wait: beyond it senders are told to come back.
const queueLength = limits.QueuedChanges

// writer owns the state and the log's end. One goroutine runs it.
type writer struct {
	log     events.Log
	queue   chan change
	ended   chan struct{}              // closed when nothing is taken from the queue any more
	state   *projections.State         // everything committed
	plan    func(d *draft) error       // what follows from the state, into the same batch
	kept    func(recs []events.Record) // after records were appended
	stored  func(s *projections.State) // after each commit
	newID   func() string
	now     func() time.Time
	actor   string
	signer  events.Signer
	metrics *metrics
	logger  *slog.Logger
	pause   func(context.Context, time.Duration) error // nil: wait; simulated fleets have another clock
}

func (w *writer) wait(ctx context.Context, d time.Duration) error {
	if w.pause != nil {
		return w.pause(ctx, d)
	}
	return host.Wait(ctx, d)
}

// submit queues a change, or refuses it at once when the queue is full.
func (w *writer) submit(c change) {
	select {
	case w.queue <- c:
		w.drainIfEnded()
	default:
		c.end(0, errBusy)
	}
}

// submitWait queues a change and waits for a place; it returns ctx's error.
func (w *writer) submitWait(ctx context.Context, c change) error {
	select {
	case w.queue <- c:
		w.drainIfEnded()
		return nil
	case <-w.ended:
		return errStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// do decides and waits until that is on disk.
func (w *writer) do(ctx context.Context, decide func(*draft) error) error {
	done := make(chan error, 1)
	return w.await(ctx, change{decide: decide, done: func(_ uint64, err error) { done <- err }}, done)
}

// look runs f on committed state, within the writer.
func (w *writer) look(ctx context.Context, f func(*projections.State)) error {
	done := make(chan error, 1)
	return w.await(ctx, change{
		view: func(st *projections.State) { f(st); done <- nil },
		done: func(_ uint64, err error) { done <- err },
	}, done)
}

func (w *writer) await(ctx context.Context, c change, done <-chan error) error {
	if err := w.submitWait(ctx, c); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c change) end(seq uint64, err error) {
	if c.done != nil {
		c.done(seq, err)
	}
}

// run decides and commits until ctx ends or another writer has written. Changes that
// still wait then, or come later, are answered with errStopped.
func (w *writer) run(ctx context.Context) error {
	defer w.drain()
	defer close(w.ended)
	for {
		select {
		case <-ctx.Done():
			return nil
		case first := <-w.queue:
			if err := w.step(ctx, first); err != nil {
				return err
			}
		}
	}
}

func (w *writer) drain() {
	for {
		select {
		case c := <-w.queue:
			c.end(0, errStopped)
		default:
			return
		}
	}
}

// drainIfEnded answers a change that was queued behind the writer's last look.
func (w *writer) drainIfEnded() {
	select {
	case <-w.ended:
		w.drain()
	default:
	}
}

// step commits one batch: first and whatever else waits and fits. A view ends the
// batch, so that it sees only what is committed.
func (w *writer) step(ctx context.Context, first change) error {
	if first.view != nil {
		first.view(w.state)
		return nil
	}
	batch, view := w.gather(first)
	if err := w.commit(ctx, batch); err != nil {
		view.end(0, errStopped)
		return err
	}
	if view.view != nil {
		view.view(w.state)
	}
	return nil
}

// maxChanges bounds how many senders one commit keeps waiting.
const maxChanges = 400

func (w *writer) gather(first change) (batch []change, view change) {
	batch = append(batch, first)
	for len(batch) < maxChanges {
		select {
		case c := <-w.queue:
			if c.view != nil {
				return batch, c
			}
			batch = append(batch, c)
		default:
			return batch, change{}
		}
	}
	return batch, change{}
}

// answer is what a change is told once its batch is on disk.
type answer struct {
	change change
	seq    uint64
	err    error
}

// commit decides the changes in order, appends what they decided and answers. What did
// not fit into one batch follows in the next.
func (w *writer) commit(ctx context.Context, batch []change) error {
	for more := true; more; {
		before := w.state.Seq
		d := &draft{state: w.state, committed: before, now: w.now().UTC(), newID: w.newID, actor: w.actor, signer: w.signer}
		var answers []answer
		answers, batch = decideAll(d, batch)
		more = !w.planned(d) || len(batch) > 0
		if err := w.append(ctx, before, d); err != nil {
			for _, a := range answers {
				a.change.end(0, errStopped)
			}
			for _, c := range batch {
				c.end(0, errStopped)
			}
			return err
		}
		more = more || d.again
		for _, a := range answers {
			a.change.end(a.seq, a.err)
		}
		w.stored(w.state)
	}
	return nil
}

// decideAll decides changes while their records fit, and returns those that are left.
// A decision that ends in an error leaves no record.
func decideAll(d *draft, batch []change) (answers []answer, left []change) {
	for i, c := range batch {
		err := c.decide(d)
		switch {
		case err != nil:
			d.drop()
		case !d.fits() && len(d.recs) > 0:
			d.drop()
			return answers, batch[i:]
		case !d.fits():
			d.drop()
			err = errTooMuch
		}
		d.keep()
		answers = append(answers, answer{c, d.state.Seq, err})
	}
	return answers, nil
}

// planned adds what follows from the decisions. It returns false when that needs a
// batch of its own.
func (w *writer) planned(d *draft) bool {
	err := w.plan(d)
	full := err == nil && !d.fits() && len(d.recs) > 0
	if err == nil && !full && !d.fits() {
		err = errTooMuch
	}
	if err != nil {
		w.logger.Error("planning", "err", err)
	}
	if err != nil || full {
		d.drop()
	}
	d.keep()
	return !full
}

// append puts the draft on disk. When it is unknown whether a try was stored, the log
// itself is asked; nobody is told "stored" before it says so.
func (w *writer) append(ctx context.Context, expected uint64, d *draft) error {
	if len(d.recs) == 0 {
		return nil
	}
	for start := time.Now(); ; {
		_, err := w.log.Append(ctx, expected, d.recs...)
		there := err == nil
		if err != nil {
			w.logger.Warn("appending", "records", len(d.recs), "behind", expected, "err", err)
			if there, err = w.isStored(ctx, expected, d.recs); err != nil {
				return fmt.Errorf("append to the log: %w", err)
			}
		}
		if there {
			w.kept(d.recs)
			w.metrics.appended(len(d.recs), time.Since(start))
			return nil
		}
		if err := w.wait(ctx, retryLog); err != nil {
			return fmt.Errorf("append to the log: %w", err)
		}
	}
}

// isStored says whether exactly these records lie behind expected. False means that
// nothing lies there; another writer's record is events.ErrConflict.
func (w *writer) isStored(ctx context.Context, expected uint64, recs []events.Record) (bool, error) {
	for {
		last, err := w.log.Last(ctx)
		if err == nil && last == expected {
			return false, nil
		}
		if err == nil {
			var same bool
			if same, err = w.same(ctx, expected, last, recs); err == nil && same {
				return true, nil
			}
			if err == nil {
				return false, fmt.Errorf("%w: behind sequence %d lie another writer's records", events.ErrConflict, expected)
			}
		}
		w.logger.Warn("asking the log what it holds", "behind", expected, "err", err)
		if err := w.wait(ctx, retryLog); err != nil {
			return false, err
		}
	}
}

// same says whether recs are what lies behind expected. What is no record at all is
// another writer's; any other error says nothing about the log.
func (w *writer) same(ctx context.Context, expected, last uint64, recs []events.Record) (bool, error) {
	n := 0
	for rec, err := range w.log.Read(ctx, expected+1, min(last, expected+uint64(len(recs)))) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return false, err
		}
		if err != nil || rec.ID != recs[n].ID {
			return false, nil
		}
		n++
	}
	return n == len(recs), nil
}

// retryLog is how long the writer waits before it asks an unreachable log again.
const retryLog = 200 * time.Millisecond
