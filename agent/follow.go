package agent

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/host"
)

// followOrders hears the newest records: what is published of signed metadata, and what the
// machine is told to do.
func (a *Agent) followOrders(ctx context.Context) {
	err := a.cfg.Bus.Orders(ctx, func(rec events.Record) {
		if !events.IsOrder(rec.Entity) {
			payload, err := events.Decode(rec)
			if p, ok := payload.(*events.TrustPublished); ok && err == nil {
				a.trust.published(p)
			}
			return
		}
		a.unjudged.put(rec)
	})
	if ctx.Err() == nil {
		a.cfg.Logger.Error("following orders", "err", err)
	}
}

// obey judges what the machine is told to do, one record at a time, until ctx ends.
func (a *Agent) obey(ctx context.Context) {
	for {
		select {
		case <-a.unjudged.poke:
		case <-a.trust.renewed:
			a.unjudged.again()
		case <-ctx.Done():
			return
		}
		for rec, ok := a.unjudged.take(); ok; rec, ok = a.unjudged.take() {
			law, known := a.law(ctx)
			if !known {
				return
			}
			a.hear(ctx, law, rec)
		}
	}
}

// law is what the machine believes now. It waits for the first signed metadata; false: ctx
// ended before that came.
func (a *Agent) law(ctx context.Context) (Law, bool) {
	for told := false; ; told = true {
		now := a.trust.Present(ctx)
		if ctx.Err() != nil {
			return Law{}, false
		}
		if !now.IsZero() && len(now.Roster().StateServers) > 0 {
			_, fresh := now.Expires()
			return Law{
				Reader: warrant.Reader{Environment: a.cfg.Conf.Environment, Trust: now, Now: now.Now(a.cfg.Now()), Fresh: fresh},
				Own:    warrant.Machine{ID: a.cfg.Conf.Machine(), Key: a.cfg.Identity.Public(), Labels: events.LabelsOf(a.cfg.Conf.Labels, a.cfg.StateServer)},
				Runs:   a.cfg.Own.Number,
				CanRun: a.units.canRun,
			}, true
		}
		if !told {
			a.cfg.Logger.Warn("an order waits: no signed metadata says yet who may give one")
		}
		if host.Wait(ctx, trustPause) != nil {
			return Law{}, false
		}
	}
}

// trustPause is between looks for the first signed metadata.
const trustPause = 250 * time.Millisecond

// hear does what a record says, as far as that is lawful. What is refused is told.
func (a *Agent) hear(ctx context.Context, law Law, rec events.Record) {
	payload, err := events.DecodeStrict(rec)
	if err != nil {
		a.cfg.Logger.Warn("skipped an order", "seq", rec.Seq, "err", err)
		return
	}
	list, isUnits := payload.(*events.UnitsAssigned)
	if isUnits {
		err = a.hearUnits(law, rec, list)
	} else {
		var in Input
		if in, err = law.Input(rec, payload); in != nil {
			in = a.newest.inOrder(rec, a.witnessed(law, in))
		}
		if in != nil {
			a.input(ctx, in)
		}
	}
	if err != nil {
		a.cfg.Logger.Error("refused what the machine was told to do", "kind", rec.Kind, "seq", rec.Seq, "err", err)
		a.tell(&events.OrderRefused{Record: rec.Kind, Code: refusalCode(err), Text: err.Error()})
	}
}

// newestOrder is where the newest record lies that was on this machine's order subject. It belongs to
// the goroutine that judges them.
type newestOrder struct {
	seq  uint64
	told uint64 // the older one of which it was told already
}

// inOrder is what a record means, given what was there before. The records of one subject lie behind
// each other in the log, and nothing is ever taken out of it: an older one means that the log was
// put back to an old copy, or is another one. It is told once what becomes of it; nil: nothing more.
func (n *newestOrder) inOrder(rec events.Record, in Input) Input {
	if rec.Seq >= n.seq {
		n.seq, n.told = rec.Seq, 0
		return in
	}
	if rec.Seq == n.told {
		return nil
	}
	n.told = rec.Seq
	back := WentBack{Record: rec.Kind, Failure: events.Failure{
		Step: stepCheck, Cause: events.CauseOperator, Code: tree.CodeFork,
		Text: fmt.Sprintf("the newest order lies at %d of the log; before, one lay at %d: the log was put back to an old copy, or lost its end", rec.Seq, n.seq),
	}}
	switch in := in.(type) {
	case Ordered:
		back.Order = in.Order.Order
		if in.Unlawful != nil && in.Unlawful.Code == tree.CodeFork {
			back.Failure.Output = in.Unlawful.Output
		}
	case RestartOrdered:
		back.Order = in.Order
	}
	return back
}

// hearUnits follows a list of units as far as somebody asked for them.
func (a *Agent) hearUnits(law Law, rec events.Record, list *events.UnitsAssigned) error {
	if err := law.Server(rec); err != nil {
		return err
	}
	if list.Machine != law.Own.ID {
		return events.Refuse(events.CodeNotForMe, "the units are machine %s's", list.Machine)
	}
	if err := a.units.refuse(list); err != nil {
		return err
	}
	now, used := a.units.kept()
	for id, end := range used {
		if end.Add(events.MaxRequestLife).Before(law.Now) { // it cannot be shown again, even if this clock ran ahead for days
			delete(used, id)
		}
	}
	run, refused := law.Units(list.Units, now, used)
	if !slices.ContainsFunc(refused, isStale) {
		a.unjudged.judged(rec.Entity)
	} else if a.unjudged.keep(rec) {
		refused = nil // all of it was told when this record was kept the first time
	}
	for _, r := range refused {
		a.cfg.Logger.Error("refused a unit", "unit", r.Unit, "code", r.Code, "text", r.Text)
		a.tell(r)
		if r.Code == codeNoSuchUser || r.Code == codeSealedForOther { // the unit is meant; say in the status why it does not run
			a.tell(&events.UnitStateChanged{Unit: r.Unit, State: events.UnitError, Info: r.Text, Version: a.cfg.Own.Number})
		}
	}
	if err := a.units.assign(assignment{UnitsAssigned: events.UnitsAssigned{Machine: list.Machine, Units: run, Number: list.Number}, Used: used}); err != nil {
		a.cfg.Logger.Error("following the assignment of units", "err", err)
	}
	return nil
}

// InputOf is what a lawful record on the machine's order subject means to it; nil: nothing.
func InputOf(seq uint64, payload events.Payload, now time.Time) Input {
	switch p := payload.(type) {
	case *events.OrderIssued:
		return Ordered{Seq: seq, Order: *p, Now: now}
	case *events.OrderSuperseded:
		return Withdrawn{Seq: seq, Order: p.Order}
	case *events.OrderTimedOut:
		return Withdrawn{Seq: seq, Order: p.Order}
	case *events.MachineResolved:
		return Resolved{Seq: seq}
	case *events.RestartOrdered:
		return RestartOrdered{Seq: seq, Order: p.Order}
	}
	return nil
}
