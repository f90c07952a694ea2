package statesrv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// change is one input to the writer. decide adds what happened to the draft; it is
// called again when the log has to be read anew. done is told once: the sequence of the
// last record that decide added, or of the log's end, when all of it is on disk.
type change struct {
	decide func(d *draft) error
	done   func(seq uint64, err error)
	view   func(s *projections.State) // instead of both: looks at committed state only
}

// errBusy: the queue is full. The sender tries again later.
var errBusy = errors.New("the state server is busy; try again")

// errStopped: the writer no longer leads or runs.
var errStopped = errors.New("the state server is stopping; try again")

// queueLength bounds how many changes wait: beyond it senders are told to come back.
const queueLength = 8192

// writer owns the state and the log's end. One goroutine runs it.
type writer struct {
	log     events.Log
	queue   chan change
	state   *projections.State         // everything committed
	plan    func(d *draft) error       // what follows from the state, into the same batch
	stored  func(s *projections.State) // after each commit
	newID   func() string
	now     func() time.Time
	actor   string
	metrics *metrics
	logger  *slog.Logger
}

// submit queues a change, or refuses it at once when the queue is full.
func (w *writer) submit(c change) {
	select {
	case w.queue <- c:
	default:
		c.end(0, errBusy)
	}
}

// submitWait queues a change and waits for a place; it returns ctx's error.
func (w *writer) submitWait(ctx context.Context, c change) error {
	select {
	case w.queue <- c:
		return nil
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
// still wait then are answered with errStopped.
func (w *writer) run(ctx context.Context) error {
	defer w.drain()
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

// step commits one batch: first and whatever else waits and fits. A view ends the
// batch, so that it sees only what is committed.
func (w *writer) step(ctx context.Context, first change) error {
	if first.view != nil {
		first.view(w.state)
		return nil
	}
	batch, view := w.gather(first)
	if err := w.commit(ctx, batch); err != nil {
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
	for len(batch) > 0 {
		before := w.state.Seq
		d := &draft{state: w.state, now: w.now().UTC(), newID: w.newID, actor: w.actor}
		var answers []answer
		for len(batch) > 0 && d.room() {
			err := batch[0].decide(d)
			answers = append(answers, answer{batch[0], d.state.Seq, err})
			batch = batch[1:]
		}
		if err := w.plan(d); err != nil {
			w.logger.Error("planning", "err", err)
		}
		if err := w.append(ctx, before, d); err != nil {
			for _, a := range answers {
				a.change.end(0, errStopped)
			}
			for _, c := range batch {
				c.end(0, errStopped)
			}
			return err
		}
		for _, a := range answers {
			a.change.end(a.seq, a.err)
		}
		w.stored(w.state)
	}
	return nil
}

// append puts the draft on disk. When it is unknown whether a try was stored, the log
// itself is asked; nobody is told "stored" before it says so.
func (w *writer) append(ctx context.Context, expected uint64, d *draft) error {
	if len(d.recs) == 0 {
		return nil
	}
	for {
		start := time.Now()
		_, err := w.log.Append(ctx, expected, d.recs...)
		if err == nil {
			w.metrics.appended(len(d.recs), time.Since(start))
			return nil
		}
		w.logger.Warn("appending", "records", len(d.recs), "behind", expected, "err", err)
		there, err := w.isStored(ctx, expected, d.recs)
		switch {
		case err != nil:
			return fmt.Errorf("append to the log: %w", err)
		case there:
			return nil
		}
	}
}

// isStored says whether exactly these records lie behind expected. False means that
// nothing lies there; another writer's record is events.ErrConflict.
func (w *writer) isStored(ctx context.Context, expected uint64, recs []events.Record) (bool, error) {
	for {
		last, err := w.log.Last(ctx)
		if err != nil {
			if err := wait(ctx, retryLog); err != nil {
				return false, err
			}
			continue
		}
		if last == expected {
			return false, nil
		}
		n := 0
		for rec, err := range w.log.Read(ctx, expected+1, min(last, expected+uint64(len(recs)))) {
			if err != nil || rec.ID != recs[n].ID {
				return false, fmt.Errorf("%w: sequence %d is another writer's (%v)", events.ErrConflict, expected+uint64(n)+1, err)
			}
			n++
		}
		if n != len(recs) {
			return false, fmt.Errorf("%w: %d of %d records are there", events.ErrConflict, n, len(recs))
		}
		return true, nil
	}
}

// retryLog is how long the writer waits before it asks an unreachable log again.
const retryLog = 200 * time.Millisecond

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
