package agent

import (
	"sync"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// unjudged is the newest record of each of the machine's order subjects that is not judged
// yet. It is judged beside the loop that hears it, because signed metadata, which judging
// may have to wait for, comes in the same loop.
type unjudged struct {
	mu     sync.Mutex
	newest map[string]events.Record // by entity
	poke   host.Poke
}

func newUnjudged() *unjudged {
	return &unjudged{newest: map[string]events.Record{}, poke: host.NewPoke()}
}

// put takes a record in. It does not wait.
func (d *unjudged) put(rec events.Record) {
	d.mu.Lock()
	d.newest[rec.Entity] = rec
	d.mu.Unlock()
	d.poke.Send()
}

// take gives the oldest.
func (d *unjudged) take() (oldest events.Record, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, rec := range d.newest {
		if !ok || rec.Seq < oldest.Seq {
			oldest, ok = rec, true
		}
	}
	delete(d.newest, oldest.Entity)
	return oldest, ok
}
