package statesrv

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// draft is a batch while it is being decided: the records so far, and the state as it
// will be when they are stored. What one decision adds is staged first and joins the
// batch whole or not at all. A draft that is not stored is thrown away with its state.
type draft struct {
	state  *projections.State // with recs folded, without staged
	now    time.Time
	newID  func() string
	actor  string
	signer events.Signer // of what machines obey; nil in rehearsals
	recs   []events.Record
	staged []events.Record // of the decision being made

	committed uint64 // the log's end before this batch
	again     bool   // what follows from this batch needs it to be on disk
}

// add decides that payload happened. cause and correlation may be empty.
func (d *draft) add(actor, cause, correlation string, payload events.Payload) (events.Record, error) {
	if actor == "" {
		actor = d.actor
	}
	rec, err := events.New(events.Envelope{
		ID: d.newID(), Time: d.now, Actor: actor, Causation: cause, Correlation: correlation,
	}, payload)
	if err == nil && d.signer != nil && signedHere(payload) {
		rec, err = rec.Signed(d.signer)
	}
	if err != nil {
		return rec, fmt.Errorf("record %s: %w", payload.Kind(), err)
	}
	return d.stage(rec), nil
}

// signedHere says whether state servers sign a fact: what machines obey, and what opens the
// log. A log whose first record is signed has no unsigned orders or reports.
func signedHere(p events.Payload) bool {
	_, opens := p.(*events.EnvironmentCreated)
	return opens || events.IsOrder(p.Entity())
}

// take decides that what a machine reported goes into the log, byte for byte and with its
// signature.
func (d *draft) take(machine, cause, correlation string, told events.Record) error {
	rec, err := told.As(events.Envelope{ID: d.newID(), Time: d.now, Actor: events.MachineTag(machine), Causation: cause, Correlation: correlation})
	if err != nil {
		return fmt.Errorf("record %s: %w", told.Kind, err)
	}
	d.stage(rec)
	return nil
}

func (d *draft) stage(rec events.Record) events.Record {
	rec.Seq = d.state.Seq + 1 + uint64(len(d.staged))
	d.staged = append(d.staged, rec)
	return rec
}

// fits says whether the decision that is being made still goes into this batch.
func (d *draft) fits() bool { return len(d.recs)+len(d.staged) <= events.MaxBatch }

// keep makes the decision part of the batch; drop forgets it.
func (d *draft) keep() {
	for _, rec := range d.staged {
		d.state.Fold(rec)
	}
	d.recs, d.staged = append(d.recs, d.staged...), nil
}

func (d *draft) drop() { d.staged = nil }
