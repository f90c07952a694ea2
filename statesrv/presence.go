package statesrv

import (
	"sync"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/projections"
)

// presence remembers when each machine was last heard. It is memory only: the log gets
// what follows from it, and only when that changes.
type presence struct {
	mu    sync.Mutex
	since time.Time // when listening began: nobody is lost before a full period of it
	last  map[string]time.Time
	seen  map[string]tree.Head // newest checkpoint of the log that each machine says it remembers
}

func newPresence(now time.Time) *presence {
	return &presence{since: now, last: map[string]time.Time{}, seen: map[string]tree.Head{}}
}

func (p *presence) heard(machine string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[machine] = now
}

// remembers notes which checkpoint a machine says it has seen last.
func (p *presence) remembers(machine string, h tree.Head) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen[machine] = h
}

// heads are the sizes of checkpoints that a machine said to remember: one, or none.
func (p *presence) heads(machine string) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if h, ok := p.seen[machine]; ok {
		return []uint64{h.Size}
	}
	return nil
}

func (p *presence) lastHeard(machine string) (last time.Time, silent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last = p.last[machine]
	if last.Before(p.since) {
		return last, p.since
	}
	return last, last
}

// Limits of what one tick decides; the next tick goes on.
const (
	maxPresence = 400
	maxTimeouts = 400
)

// decide records who was lost and who came back, at most maxPresence at a time.
func (p *presence) decide(d *draft) error {
	patience := settings.Duration(d.state.Settings, "agent-lost-after")
	changed := 0
	for _, id := range aliveMachines(d.state) {
		m := d.state.Machines[id]
		last, silentSince := p.lastHeard(id)
		gone := d.now.Sub(silentSince) > patience
		if gone == m.Lost || (!gone && last.IsZero()) {
			continue
		}
		var payload events.Payload = &events.MachineReturned{Machine: id}
		if gone {
			payload = &events.MachineLost{Machine: id, LastHeard: last}
		}
		if _, err := d.add("", "", "", payload); err != nil {
			return err
		}
		if changed++; changed == maxPresence {
			return nil
		}
	}
	return nil
}

// decideTimeouts closes orders whose machine did not end them in time: not begun by the
// order's expiry, or not ended as long again after it.
func decideTimeouts(d *draft) error {
	patience := settings.Duration(d.state.Settings, "upgrade-order-timeout")
	ended := 0
	for _, id := range sortedKeys(d.state.Orders) {
		o := d.state.Orders[id]
		if o.Kind != projections.OrderUpgrade || ended == maxTimeouts {
			continue
		}
		if d.now.After(o.Expires.Add(patience)) || (d.now.After(o.Expires) && !o.Accepted) {
			if _, err := d.add("", o.ID, o.Upgrade, &events.OrderTimedOut{Order: o.ID, Machine: id}); err != nil {
				return err
			}
			ended++
		}
	}
	return nil
}
