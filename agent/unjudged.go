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
	kept   map[string]events.Record // by entity: refused until newer signed metadata comes
	poke   host.Poke
}

func newUnjudged() *unjudged {
	return &unjudged{newest: map[string]events.Record{}, kept: map[string]events.Record{}, poke: host.NewPoke()}
}

// put takes a record in. It does not wait.
func (d *unjudged) put(rec events.Record) {
	d.mu.Lock()
	d.newest[rec.Entity] = rec
	d.mu.Unlock()
	d.poke.Send()
}

// keep keeps a record that was refused because the signed metadata has ended, until a newer one of
// its subject is kept. It returns true if the same record was kept before.
func (d *unjudged) keep(rec events.Record) (before bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	have, ok := d.kept[rec.Entity]
	d.kept[rec.Entity] = rec
	return ok && have.Seq == rec.Seq
}

// again brings back what was kept, unless something newer on its subject waits already.
func (d *unjudged) again() {
	d.mu.Lock()
	for entity, rec := range d.kept {
		if _, newer := d.newest[entity]; !newer {
			d.newest[entity] = rec
		}
	}
	d.mu.Unlock()
	d.poke.Send()
}

// judged forgets what was kept of a subject: a record of it was judged by metadata that holds.
func (d *unjudged) judged(entity string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.kept, entity)
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
