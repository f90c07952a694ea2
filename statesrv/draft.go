package statesrv

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// draft is a batch while it is being decided: the records so far, and the state as it
// will be when they are stored. A draft that is not stored is thrown away with its state.
type draft struct {
	state *projections.State
	now   time.Time
	newID func() string
	actor string
	recs  []events.Record
}

// add decides that payload happened. cause and correlation may be empty.
func (d *draft) add(actor, cause, correlation string, payload events.Payload) (events.Record, error) {
	if actor == "" {
		actor = d.actor
	}
	rec, err := events.New(events.Envelope{
		ID: d.newID(), Time: d.now, Actor: actor, Causation: cause, Correlation: correlation,
	}, payload)
	if err != nil {
		return rec, fmt.Errorf("record %s: %w", payload.Kind(), err)
	}
	rec.Seq = d.state.Seq + 1
	d.state.Fold(rec)
	d.recs = append(d.recs, rec)
	return rec, nil
}

// room says whether one more decision certainly fits into the batch.
func (d *draft) room() bool { return len(d.recs) < events.MaxBatch-maxDecision }

// maxDecision is the most records that one decision makes.
const maxDecision = 600
