package statesrv

import (
	"maps"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// presence remembers when each machine was last heard, and what it remembers of the log. It
// is memory only: the log gets what follows from it, and only when that changes.
type presence struct {
	mu    sync.Mutex           // guards all of it: reports, beats, ticks and the writer come from different goroutines
	since time.Time            // when listening began
	last  map[string]time.Time // by machine id
	heads map[string]uint64    // by machine id: size of the newest checkpoint of the log that it says it remembers
}

func newPresence(now time.Time) *presence {
	return &presence{since: now, last: map[string]time.Time{}, heads: map[string]uint64{}}
}

// hear notes that a machine is alive.
func (p *presence) noteAlive(machine string, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[machine] = now
}

// note keeps which checkpoint a machine says it has seen last.
func (p *presence) noteCheckpoint(machine string, h tree.Head) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heads[machine] = h.Size
}

// head is the size of the checkpoint that a machine said to remember: one, or none.
func (p *presence) checkpoints(machine string) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if size, ok := p.heads[machine]; ok {
		return []uint64{size}
	}
	return nil
}

// heard is a copy of when everybody was heard.
func (p *presence) lastHeard() decide.Heard {
	p.mu.Lock()
	defer p.mu.Unlock()
	return decide.Heard{Since: p.since, Last: maps.Clone(p.last)}
}
