package bus

import (
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// rates bounds how often each machine is heard: limits.ReportsAtOnce, and then one more
// every limits.ReportEvery. A machine that says more is not heard until it has been quiet;
// no other one waits for it. There are as many entries as machines that may connect.
type rates struct {
	now   func() time.Time
	every time.Duration
	mu    sync.Mutex
	// free is when the machine's bucket is, or was, empty again: each message moves it
	// on by limits.ReportEvery, and may not move it too far ahead.
	free map[string]time.Time
}

func newRates(now func() time.Time, every time.Duration) *rates {
	return &rates{now: now, every: every, free: map[string]time.Time{}}
}

// allow says whether one more message of a machine is heard.
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
