package writer

import (
	"context"
)

// maxChanges bounds how many senders one batch keeps waiting.
const maxChanges = 400

// step commits one batch: first and whatever else waits and fits. A view ends the batch, so
// that it sees only what is committed. While there is no room, views go on and nothing is decided.
func (w *Writer) step(ctx context.Context, first Change) error {
	if first.view != nil {
		first.view(w.state)
		return nil
	}
	if why := w.noRoom(); why != nil {
		w.hold(first, why)
		return nil
	}
	if err := w.commitHeld(ctx); err != nil {
		first.end(0, ErrStopped)
		return err
	}
	batch, view := w.gather(first)
	if err := w.Commit(ctx, batch...); err != nil {
		view.end(0, ErrStopped)
		return err
	}
	if view.view != nil {
		view.view(w.state)
	}
	return nil
}

func (w *Writer) gather(first Change) (batch []Change, view Change) {
	batch = append(batch, first)
	for len(batch) < maxChanges {
		select {
		case c := <-w.queue:
			if c.view != nil {
				return batch, c
			}
			batch = append(batch, c)
		default:
			return batch, Change{}
		}
	}
	return batch, Change{}
}

// answer is what a change is told once its batch is on disk.
type answer struct {
	change Change
	seq    uint64
	err    error
}

// Commit decides changes in their order, appends what they decided and ends them. What does
// not fit into one batch follows in the next. With an error the writer is of no use any more.
func (w *Writer) Commit(ctx context.Context, batch ...Change) error {
	for more := true; more; {
		committed := w.state.Seq
		d := w.newDraft()
		var answers []answer
		answers, batch = d.decideAll(ctx, batch)
		more = !d.plan(ctx, committed) || len(batch) > 0 || d.again
		if err := w.append(ctx, committed, d.recs); err != nil {
			stop(answers, batch)
			return err
		}
		for _, want := range d.wants {
			w.owner.Want(want)
		}
		for _, a := range answers {
			a.change.end(a.seq, a.err)
		}
		w.owner.Committed(w.state)
	}
	return nil
}

// stop ends everybody whose change is not on disk, or may not be.
func stop(answers []answer, left []Change) {
	for _, a := range answers {
		a.change.end(0, ErrStopped)
	}
	for _, c := range left {
		c.end(0, ErrStopped)
	}
}

// decideAll decides changes while their records fit, and returns those that are left. A
// decision that ends in an error leaves no record.
func (d *draft) decideAll(ctx context.Context, batch []Change) (answers []answer, left []Change) {
	for i, c := range batch {
		decision, err := c.Decide(d.at())
		if err == nil {
			err = d.stage(ctx, decision)
		}
		switch {
		case err != nil:
		case d.fits():
			d.keep(decision)
		case len(d.recs) > 0:
			d.drop()
			return answers, batch[i:]
		default:
			d.drop()
			err = ErrTooMuch
		}
		answers = append(answers, answer{c, d.state.Seq, err})
	}
	return answers, nil
}

// plan adds what follows from the decisions. It returns false when that needs a batch of
// its own: what was planned is forgotten then, with its wants.
func (d *draft) plan(ctx context.Context, committed uint64) (fits bool) {
	planned := d.owner.Plan(d.at(), committed)
	err := d.stage(ctx, planned)
	switch {
	case err != nil:
	case d.fits():
		d.keep(planned)
		return true
	case len(d.recs) > 0:
		d.drop()
		return false
	default:
		d.drop()
		err = ErrTooMuch
	}
	d.cfg.Logger.Error("planning", "err", err)
	return true
}
