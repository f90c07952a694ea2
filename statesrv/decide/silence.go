package decide

import (
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// Heard is when each machine was heard last. The log does not hold that. It gets what follows from it, that
// a machine is lost or has returned, and only when that changes.
type Heard struct {
	Since time.Time            // when listening began; no machine is lost before agent-lost-after has passed since
	Last  map[string]time.Time // by machine id
}

// Limits of what one decision of Pass holds. The next one continues.
const (
	maxPresence = 400
	maxTimeouts = 400
)

// Pass decides what the passing of time alone brings: who was lost and who has come back,
// and which orders have timed out.
func Pass(at At, heard Heard) Decision {
	d := silence(at, heard)
	d.Facts = append(d.Facts, timeouts(at)...)
	return d
}

// silence finds out who was lost and who has come back, at most maxPresence at a time.
func silence(at At, heard Heard) (d Decision) {
	patience := settings.Duration(at.State.Settings, "agent-lost-after")
	for _, id := range targets.Alive(at.State) {
		m := at.State.Machines[id]
		last := heard.Last[id]
		silentSince := last
		if last.Before(heard.Since) {
			silentSince = heard.Since
		}
		gone := at.Now.Sub(silentSince) > patience
		switch {
		case gone == m.Lost || !gone && last.IsZero():
			continue
		case gone:
			d.Facts = append(d.Facts, Fact{Payload: &events.MachineLost{Machine: id, LastHeard: last}})
		default:
			d.Facts = append(d.Facts, Fact{Payload: &events.MachineReturned{Machine: id}})
		}
		if len(d.Facts) == maxPresence {
			break
		}
	}
	return d
}

// timeouts ends orders that their machine did not end in time. An order that was not begun times out at its
// expiry. One that was begun has upgrade-order-timeout more.
func timeouts(at At) (ended []Fact) {
	patience := settings.Duration(at.State.Settings, "upgrade-order-timeout")
	for _, id := range sortedKeys(at.State.Orders) {
		o := at.State.Orders[id]
		if o.Kind != projections.OrderUpgrade || len(ended) == maxTimeouts {
			continue
		}
		if at.Now.After(o.Expires.Add(patience)) || (at.Now.After(o.Expires) && !o.Accepted) {
			ended = append(ended, Fact{Cause: o.ID, Correlation: o.Upgrade, Payload: &events.OrderTimedOut{Order: o.ID, Machine: id}})
		}
	}
	return ended
}
