package fleet

import "time"

// Kinds of faults, as they are counted.
const (
	killed      = "agent killed"
	launcherCut = "launcher killed"
	powerCut    = "power cut"
	lost        = "message lost"
	doubled     = "message doubled"
	late        = "message late"
	ackLost     = "acknowledgement lost"
	appendLost  = "append failed"
	appendDoubt = "append stored, not acknowledged"
	twoLeaders  = "second leader"
	leaderGone  = "leader killed"
	outage      = "bus away"
	clockJump   = "clock jump"
	diskFull    = "disk full"
	badRelease  = "bad release ordered"
	fetchFails  = "download failed"
)

var kinds = []string{
	killed, launcherCut, powerCut, lost, doubled, late, ackLost, appendLost, appendDoubt, twoLeaders, leaderGone, outage, clockJump, diskFull, fetchFails,
}

// faults is the probability of each kind of fault in one run. Each run draws which kinds it has, and
// how often they happen. So a kind that hides another kind is absent in half of the runs.
type faults struct {
	on    bool
	rates map[string]float64
	count map[string]int
}

func (w *world) drawFaults() {
	base := map[string]float64{
		killed: 0.004, launcherCut: 0.002, powerCut: 0.002, lost: 0.03, doubled: 0.03, late: 0.03, ackLost: 0.03,
		appendLost: 0.01, appendDoubt: 0.01, twoLeaders: 0.02, leaderGone: 0.02, outage: 0.01, clockJump: 0.02, diskFull: 0.01, fetchFails: 0.01,
	}
	w.faults = faults{on: true, rates: map[string]float64{}, count: map[string]int{}}
	for _, kind := range kinds {
		if w.rnd.IntN(5) < 3 {
			w.faults.rates[kind] = base[kind] * (0.3 + 3*w.rnd.Float64())
		}
	}
}

// fault says whether a fault of a kind happens now, and counts it.
func (w *world) fault(kind string) bool {
	if !w.faults.on || w.faults.rates[kind] == 0 || w.rnd.Float64() >= w.faults.rates[kind] {
		return false
	}
	w.faults.count[kind]++
	return true
}

// weather brings, every ten seconds, the faults that come as time passes.
func (w *world) weather() {
	if !w.faults.on {
		return
	}
	w.after(10*time.Second, w.weather)
	if w.fault(outage) {
		w.away(w.between(5*time.Second, 3*time.Minute))
	}
	if w.fault(leaderGone) {
		w.centre.killLeader()
	}
	if w.fault(twoLeaders) {
		w.centre.lead()
	}
	for range 1 + len(w.hosts)/20 {
		h := w.hosts[w.rnd.IntN(len(w.hosts))]
		if w.fault(clockJump) {
			h.skew += time.Duration(w.rnd.Int64N(int64(2*365*24*time.Hour))) - 365*24*time.Hour
		}
		if w.fault(diskFull) {
			h.fullUntil = w.now + w.between(time.Second, 3*time.Minute)
		}
		if w.fault(powerCut) {
			h.powerCut(w.between(time.Second, 10*time.Minute))
		}
		if w.fault(killed) {
			h.kill("it was killed")
		}
	}
}

// away takes the bus away from everybody for a while.
func (w *world) away(d time.Duration) {
	w.busBack = max(w.busBack, w.now+d)
	for _, h := range w.hosts {
		h.disconnect()
	}
}

func (w *world) busUp() bool { return w.now >= w.busBack }

// calm ends all faults, and mends what is broken, as an operator does.
func (w *world) calm() {
	w.faults.on = false
	w.busBack = w.now
	for _, h := range w.hosts {
		h.skew, h.fullUntil = 0, w.now
	}
}

func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.rnd.Int64N(int64(most-least)+1))
}
