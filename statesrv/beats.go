package statesrv

import (
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// beats takes the heartbeats of agents.
type beats struct {
	writer   *writer.Writer
	presence *presence
	now      func() time.Time
	newID    func() string

	mu     sync.Mutex    // guards clones: the bus calls onBeat, the writer's goroutine forgets
	clones decide.Clones // it has no lock of its own
}

// onBeat notes that a machine is alive. It also finds out when two hosts beat under one machine's
// name, and has that machine quarantined.
func (b *beats) onBeat(tag string, beat wire.Beat, answer func(wire.Echoed)) {
	id, ok := strings.CutPrefix(tag, events.MachineTag(""))
	if !ok || !events.IsMachine(id) {
		return
	}
	b.presence.noteAlive(id, b.now())
	if beat.Log.Size > 0 {
		b.presence.noteCheckpoint(id, beat.Log)
	}
	if answer == nil || beat.Instance == "" {
		return
	}
	b.mu.Lock()
	e, clone := b.clones.Beat(id, beat.Instance, beat.Echo, b.newID())
	b.mu.Unlock()
	if clone {
		b.quarantine(id)
	}
	answer(e)
}

// quarantine has a machine shut out. What is known of its instances is forgotten only after the log
// has the quarantine. If it were forgotten before, and the queue were full, the clone would not be
// found again at the next beat.
func (b *beats) quarantine(id string) {
	b.writer.Submit(writer.Change{
		Decide: func(at decide.At) (decide.Decision, error) { return decide.Quarantine(at, id, decide.TwoHosts), nil },
		Done: func(_ uint64, err error) {
			if err == nil {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.clones.Forget(id)
			}
		},
	})
}
