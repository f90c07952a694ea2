package statesrv

import (
	"maps"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// presence remembers when each machine was heard last, and which checkpoint of the log each machine
// says it has. It is kept in memory only. The log gets what follows from it, that a machine is lost or
// has returned, and only when that changes. A new term begins with nobody heard.
type presence struct {
	mu    sync.Mutex           // guards all of it: reports, beats, ticks and the writer come from different goroutines
	since time.Time            // when listening began
	last  map[string]time.Time // by machine id
	heads map[string]uint64    // by machine id: size of the newest checkpoint of the log that it says it remembers
}

func newPresence(now time.Time) *presence {
	return &presence{since: now, last: map[string]time.Time{}, heads: map[string]uint64{}}
}

// noteAlive notes that a machine was heard now.
func (p *presence) noteAlive(machine string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[machine] = now
}

// noteCheckpoint notes the newest checkpoint that a machine says it has.
func (p *presence) noteCheckpoint(machine string, h tree.Head) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heads[machine] = h.Size
}

// checkpoints gives the size of the checkpoint that a machine says it has: one size, or none.
func (p *presence) checkpoints(machine string) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if size, ok := p.heads[machine]; ok {
		return []uint64{size}
	}
	return nil
}

// lastHeard is a copy of when each machine was heard last.
func (p *presence) lastHeard() decide.Heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return decide.Heard{Since: p.since, Last: maps.Clone(p.last)}
}
