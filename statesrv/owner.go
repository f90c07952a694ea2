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

// owner is the writer.Owner of a term: it plans, proves, and does what was decided. The writer's
// goroutine calls all of it, so it needs no lock of its own, and no method may wait long.
type owner struct {
	log       events.Log
	tree      *logtree.Tree
	tools     *toolbox
	presence  *presence
	now       func() time.Time
	metrics   *metrics
	committed []func(*projections.State) // called with the committed state after each batch

	warrants decide.Warrants
	asked    events.Stored // the record of the upgrade in progress that holds its request; kept, because every order proves it
}

// Plan decides what follows for the upgrade in progress.
func (o *owner) Plan(at decide.At, committed uint64) decide.Decision {
	look := decide.Outlook{Committed: committed, Warrants: &o.warrants}
	if at.State.Upgrade != nil {
		look.Fetches = o.tools.fetchOutlook()
	}
	return decide.Plan(at, look)
}

// Prove adds to an order the proof that the order's request lies in the log. The proof begins at any
// checkpoint that the machine may remember: the one it named in a heartbeat, or one of an earlier
// order.
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

// Appended adds the records of a batch to the tree over the log, and counts them.
func (o *owner) Appended(recs []events.Record, elapsed time.Duration) {
	o.tree.Append(recs)
	o.metrics.appended(len(recs), elapsed)
}

// Want does what a decision wants. Doing it twice does no harm. If the term ends before it is done, the
// next term plans it again.
func (o *owner) Want(w decide.Want) {
	switch w := w.(type) {
	case decide.FetchTools:
		o.tools.wantFetched(w.Tools)
	case decide.ForgetFetch:
		o.tools.forgetFetch(w.SHA256)
	case decide.RemoveTools:
		o.tools.remove(w.SHA256)
	}
}

// Committed shows the committed state to everybody who follows it.
func (o *owner) Committed(s *projections.State) {
	for _, look := range o.committed {
		look(s)
	}
}
