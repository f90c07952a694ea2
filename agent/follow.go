package agent

import (
	"context"
	"time"

	"github.com/jujube-project/jujube/events"
)

// followOrders turns the newest orders into inputs.
func (a *Agent) followOrders(ctx context.Context) {
	err := a.cfg.Bus.Orders(ctx, func(rec events.Record) {
		payload, err := events.Decode(rec)
		if err != nil {
			a.cfg.Logger.Warn("skipped an order", "seq", rec.Seq, "err", err)
			return
		}
		if p, ok := payload.(*events.TrustPublished); ok {
			a.trust.published(p)
			return
		}
		if u, ok := payload.(*events.UnitsAssigned); ok {
			if err := a.units.assign(*u); err != nil {
				a.cfg.Logger.Error("following the assignment of units", "err", err)
			}
			return
		}
		if in := InputOf(rec.Seq, payload, a.cfg.Now()); in != nil {
			a.input(ctx, in)
		}
	})
	if ctx.Err() == nil {
		a.cfg.Logger.Error("following orders", "err", err)
	}
}

// InputOf is what a record on the machine's order subject means to it; nil: nothing.
func InputOf(seq uint64, payload events.Payload, now time.Time) Input {
	switch p := payload.(type) {
	case *events.OrderIssued:
		return Ordered{Seq: seq, Order: *p, Now: now}
	case *events.OrderSuperseded, *events.OrderTimedOut:
		return Withdrawn{Seq: seq}
	case *events.MachineResolved:
		return Resolved{Seq: seq}
	case *events.RestartOrdered:
		return RestartOrdered{Seq: seq, Order: p.Order}
	}
	return nil
}
