package statesrv

import (
	"fmt"
	"slices"
	"sync"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/limits"
)

// desk answers questions, some at once and the others in turn: first one of each asker, then the next. So
// whoever asks much waits for himself, and for others no longer than for one answer of each. What an
// asker has waiting is bounded, and so is what all have.
type desk struct {
	spawn func(func())

	mu      sync.Mutex
	turns   []string // askers who have questions waiting, in the order of their turns
	waiting map[string][]func()
	queued  int            // in waiting
	running map[string]int // by asker
	busy    int            // in running
}

func newDesk(spawn func(func())) *desk {
	return &desk{spawn: spawn, waiting: map[string][]func(){}, running: map[string]int{}}
}

// ask has a question answered when its turn comes. The error is bus.ErrTooOften. It never waits.
func (d *desk) ask(asker string, answer func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.waiting[asker]) >= limits.QuestionsOfOne || d.queued >= limits.Questions {
		return fmt.Errorf("%w: %d questions of yours wait, and %d of all; at most %d and %d may",
			bus.ErrTooOften, len(d.waiting[asker]), d.queued, limits.QuestionsOfOne, limits.Questions)
	}
	if len(d.waiting[asker]) == 0 {
		d.turns = append(d.turns, asker)
	}
	d.waiting[asker] = append(d.waiting[asker], answer)
	d.queued++
	d.begin()
	return nil
}

// begin begins as many answers as may be made at once. The caller holds mu.
func (d *desk) begin() {
	for d.busy < limits.AnswersAtOnce {
		i := slices.IndexFunc(d.turns, func(asker string) bool { return d.running[asker] < limits.AnswersOfOne })
		if i < 0 {
			return
		}
		asker := d.turns[i]
		d.turns = slices.Delete(d.turns, i, i+1)
		answer := d.waiting[asker][0]
		d.waiting[asker] = d.waiting[asker][1:]
		if len(d.waiting[asker]) == 0 {
			delete(d.waiting, asker)
		} else {
			d.turns = append(d.turns, asker)
		}
		d.queued--
		d.busy++
		d.running[asker]++
		d.spawn(func() {
			defer d.end(asker)
			answer()
		})
	}
}

func (d *desk) end(asker string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy--
	if d.running[asker]--; d.running[asker] == 0 {
		delete(d.running, asker)
	}
	d.begin()
}
