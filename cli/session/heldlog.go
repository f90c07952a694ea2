package session

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
)

// heldLog is a log that is held against what this client has seen of it. Whoever reads it from its
// first record finds out whether the records that were seen are those that were seen, byte for byte:
// that needs no state server. Whoever follows it is told when a state server cannot prove any more
// that it goes on from there.
type heldLog struct {
	events.Log
	witness *Witness
	// prove returns why the log must not be followed any more, or nil when ctx ends. nil: this is a
	// copy that nobody adds to.
	prove func(ctx context.Context) error
}

// Hold holds a copy of the log against what was seen.
func (w *Witness) Hold(log events.Log) events.Log { return heldLog{log, w, nil} }

// replicaLag is how long NATS is given to show the end of a log that a state server has signed: in a
// cluster another replica may answer, which has not caught up yet.
const replicaLag = 2 * time.Second

// Last refuses a log that ends before what was seen.
func (l heldLog) Last(ctx context.Context) (uint64, error) {
	for began := time.Now(); ; {
		last, err := l.Log.Last(ctx)
		seen := l.witness.Seen()
		if err != nil || last >= seen.Size {
			return last, err
		}
		if time.Since(began) > replicaLag {
			return 0, l.witness.forked(events.Refuse(tree.CodeFork, "the log ends at %d; this client has seen %s", last, seen.Head), seen.Note, nil)
		}
		select {
		case <-time.After(askAgain):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Read implements events.Log.
func (l heldLog) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	seen := l.witness.Seen()
	if from > 1 || seen.Size == 0 || to < seen.Size {
		return l.Log.Read(ctx, from, to)
	}
	return func(yield func(events.Record, error) bool) {
		var edge tree.Edge
		place := tree.LogOf(l.witness.Environment())
		for stored, err := range l.Stored(ctx, from, to) {
			var rec events.Record
			if err == nil {
				rec, err = stored.Record()
				if stored.Seq <= seen.Size {
					edge.Add(place.Leaf(stored.Seq, stored.Entity, stored.Bytes))
				}
			}
			if stored.Seq == seen.Size && edge.Head() != seen.Head {
				yield(events.Record{}, l.witness.forked(
					events.Refuse(tree.CodeFork, "the first %d records of the log (root %s) are not those that this client has seen (root %s)",
						seen.Size, edge.Head().Root, seen.Root), seen.Note, nil))
				return
			}
			if !yield(rec, err) || err != nil && !errors.Is(err, events.ErrInvalid) {
				return
			}
		}
	}
}

// Follow implements events.Log.
func (l heldLog) Follow(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	if l.prove == nil {
		return l.Log.Follow(ctx, from)
	}
	return func(yield func(events.Record, error) bool) {
		held, end := context.WithCancelCause(ctx)
		defer end(nil)
		go func() {
			if refused := l.prove(held); refused != nil {
				end(refused)
			}
		}()
		for rec, err := range l.Log.Follow(held, from) {
			if err != nil && held.Err() != nil {
				err = context.Cause(held)
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}
