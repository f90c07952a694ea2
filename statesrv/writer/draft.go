package writer

import (
	"context"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// draft is a batch while it is being made: the records so far, and the state as it will be
// when they are stored. The facts of one decision are staged first and join the batch all
// together or not at all. A draft that is not stored is thrown away with its state, so the
// writer that made it must not go on.
type draft struct {
	*Writer
	now   time.Time
	recs  []events.Record // they are folded into the writer's state
	wants []decide.Want   // of the decisions behind recs

	staged []events.Record // of the decision that is being recorded; they are not folded
	again  bool            // a decision in this batch asks for another plan
}

func (w *Writer) newDraft() *draft { return &draft{Writer: w, now: w.cfg.Now().UTC()} }

// at is what the next decision looks at: the state with every decision before it.
func (d *draft) at() decide.At {
	return decide.At{State: d.state, Now: d.now, NewID: d.cfg.NewID}
}

// stage makes the records of a decision. With an error nothing stays staged.
func (d *draft) stage(ctx context.Context, decision decide.Decision) error {
	err := d.stageAll(ctx, decision.Facts)
	if err != nil && decision.Otherwise != nil {
		err = d.stageAll(ctx, decision.Otherwise(err))
	}
	return err
}

func (d *draft) stageAll(ctx context.Context, facts []decide.Fact) error {
	d.drop()
	for i := range facts {
		f := &facts[i]
		if f.Proof != nil {
			if err := d.owner.Prove(ctx, f); err != nil {
				d.cfg.Logger.Error("proving that an order was asked for; it is planned again", "machine", f.Proof.Machine, "request", f.Correlation, "err", err)
				continue
			}
		}
		rec, err := d.record(f, d.state.Seq+1+uint64(len(d.staged)))
		if err != nil {
			d.drop()
			return err
		}
		d.staged = append(d.staged, rec)
	}
	return nil
}

// record makes the record of a fact, for a position in the log. A machine has signed its report; everything
// else the state server signs, with its place.
func (d *draft) record(f *decide.Fact, seq uint64) (rec events.Record, err error) {
	env := events.Envelope{ID: f.ID, Time: d.now, Actor: f.Actor, Causation: f.Cause, Correlation: f.Correlation}
	if env.ID == "" {
		env.ID = d.cfg.NewID()
	}
	if env.Actor == "" {
		env.Actor = d.cfg.Actor
	}
	if f.Report != nil {
		rec, err = f.Report.As(env)
		rec.Seq = seq
		if err != nil {
			return rec, fmt.Errorf("record %s: %w", f.Report.Kind, err)
		}
		return rec, nil
	}
	rec, err = events.New(env, f.Payload)
	rec.Seq = seq
	if err == nil && d.cfg.Signer != nil {
		rec, err = rec.Placed(d.cfg.Environment).Signed(d.cfg.Signer)
	}
	if err != nil {
		return rec, fmt.Errorf("record %s: %w", f.Payload.Kind(), err)
	}
	return rec, nil
}

// fits says whether the decision that is being recorded still goes into this batch.
func (d *draft) fits() bool { return len(d.recs)+len(d.staged) <= events.MaxBatch }

// keep makes a decision, whose records are staged, part of the batch.
func (d *draft) keep(decision decide.Decision) {
	for _, rec := range d.staged {
		if why := d.state.Decided(rec); why != nil {
			d.cfg.Logger.Error("a record that was decided here is not believed; this is a fault of the state server", "kind", rec.Kind, "seq", rec.Seq, "err", why)
		}
	}
	d.recs, d.staged = append(d.recs, d.staged...), d.staged[:0]
	d.wants = append(d.wants, decision.Wants...)
	d.again = d.again || decision.Again
}

// drop forgets the records that are staged.
func (d *draft) drop() { d.staged = d.staged[:0] }
