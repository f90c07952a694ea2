package statesrv

import (
	"context"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/logtree"
)

// owner is what the writer of a term serves. The writer's goroutine calls all of it.
type owner struct {
	log       events.Log
	tree      *logtree.Tree
	tools     *toolbox
	presence  *presence
	now       func() time.Time
	metrics   *metrics
	committed []func(*projections.State) // who looks at the state after each batch

	warrants decide.Warrants
	asked    events.Stored // the record that holds the request of the upgrade in progress
}

// Plan lets the upgrade in progress go on.
func (o *owner) Plan(at decide.At, committed uint64) decide.Decision {
	look := decide.Outlook{Committed: committed, Warrants: &o.warrants}
	if at.State.Upgrade != nil {
		look.Fetches = o.tools.fetchOutlook()
	}
	return decide.Plan(at, look)
}

// Prove proves to a machine that the request of its order lies in the log, whichever of the
// checkpoints that it was given it remembers.
func (o *owner) Prove(ctx context.Context, f *decide.Fact) (err error) {
	order, ok := f.Payload.(*events.OrderIssued)
	if !ok {
		return fmt.Errorf("%s carries no proof", f.Payload.Kind())
	}
	if o.asked.Seq != f.Proof.Seq {
		if o.asked, err = o.stored(ctx, f.Proof.Seq); err != nil {
			return err
		}
	}
	order.Log, err = o.tree.Prove(o.asked, append(o.presence.checkpoints(f.Proof.Machine), f.Proof.Heads...), o.now())
	return err
}

// stored reads one record of the log.
func (o *owner) stored(ctx context.Context, seq uint64) (found events.Stored, err error) {
	for stored, err := range o.log.Stored(ctx, seq, seq) {
		if err != nil {
			return events.Stored{}, err
		}
		found = stored
	}
	if found.Seq != seq {
		return events.Stored{}, fmt.Errorf("the log has no record %d", seq)
	}
	return found, nil
}

// Appended adds to the tree what was put into the log.
func (o *owner) Appended(recs []events.Record, elapsed time.Duration) {
	o.tree.Append(recs)
	o.metrics.appended(len(recs), elapsed)
}

// Want does what was decided. Both may be done twice, and both are planned again if the term
// ends before them.
func (o *owner) Want(w decide.Want) {
	switch w := w.(type) {
	case decide.FetchTools:
		o.tools.wantFetched(w.Tools)
	case decide.ForgetFetch:
		o.tools.forgetFetch(w.SHA256)
	}
}

// Committed lets everybody look at the state who follows it.
func (o *owner) Committed(s *projections.State) {
	for _, look := range o.committed {
		look(s)
	}
}
