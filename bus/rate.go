package bus

import (
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// rates bounds how many messages of each machine are handled: limits.ReportsAtOnce at once,
// and one more for every time that passes. What a machine sends over that is not handled,
// and no other machine waits for it. Only machines have entries here, since NATS lets no one
// else publish where rates are asked: the map does not grow without bound.
//
// It is a leaky bucket for each machine, kept as one time instead of a level and the time
// when it was looked at (the generic cell rate algorithm, ITU-T I.371).
type rates struct {
	now   func() time.Time
	every time.Duration // one more message may come after this time
	mu    sync.Mutex
	// free is the time when all that the machine sent is paid for. Each message moves it on by
	// every; a message that would move it ReportsAtOnce × every ahead of now is refused.
	free map[string]time.Time
}

func newRates(now func() time.Time, every time.Duration) *rates {
	return &rates{now: now, every: every, free: map[string]time.Time{}}
}

// allow says whether one more message of a machine is handled, and counts it if so.
func (r *rates) allow(tag string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	free := r.free[tag]
	if free.Before(now) {
		free = now
	}
	if free.Sub(now) > (limits.ReportsAtOnce-1)*r.every {
		return false
	}
	r.free[tag] = free.Add(r.every)
	return true
}
