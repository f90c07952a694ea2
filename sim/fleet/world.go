package fleet

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
)

// Config says what is simulated. The same Config gives the same run.
type Config struct {
	Seed     uint64
	Machines int // at least 1; machine 0 is the state server
	Trace    bool
}

// Result is what happened in a run.
type Result struct {
	Seed     uint64
	Machines int
	Events   int // of the simulation
	Records  uint64
	Orders   int
	Virtual  time.Duration
	Faults   map[string]int
	Digest   string // of the final state
}

// Add adds the counts of another run.
func (r *Result) Add(o Result) {
	r.Machines += o.Machines
	r.Events += o.Events
	r.Records += o.Records
	r.Orders += o.Orders
	r.Virtual += o.Virtual
	if r.Faults == nil {
		r.Faults = map[string]int{}
	}
	for kind, n := range o.Faults {
		r.Faults[kind] += n
	}
}

// world is one run.
type world struct {
	queue
	cfg      Config
	rnd      *rand.Rand
	faults   faults
	busBack  time.Duration // nobody reaches the bus until then
	log      *memlog.Log
	releases []*release // ascending; the first is what all machines begin with
	wanted   *release   // what the operator wants now
	hosts    []*host
	centre   *centre
	checks   *checks
	asks     []events.Ask
	ids      int
	steps    int
	trace    []string
}

// violation says what did not hold. It is a panic that ends the run.
type violation string

// Run simulates one environment from its first record until, after all faults, everything
// runs the newest version. An error names the seed and what did not hold.
func Run(cfg Config) (Result, error) {
	r, err := run(cfg)
	if err == nil || cfg.Trace {
		return r, err
	}
	cfg.Trace = true
	return run(cfg) // the same run again, this time with a trace
}

func run(cfg Config) (r Result, err error) {
	w := &world{
		cfg: cfg, rnd: rand.New(rand.NewPCG(cfg.Seed, uint64(cfg.Machines))), log: memlog.New(),
	}
	w.checks = newChecks(w)
	defer func() {
		v, ok := recover().(violation)
		if ok {
			err = fmt.Errorf("seed %d, %d machines, after %v and %d events: %s\n%s", cfg.Seed, cfg.Machines, w.now, w.steps, v, strings.Join(w.trace, "\n"))
		}
		r = w.result()
	}()
	w.begin()
	w.story()
	w.until(storyLimit, func() bool { return w.centre.done })
	w.checks.end()
	return r, nil
}

func (w *world) result() Result {
	r := Result{
		Seed: w.cfg.Seed, Machines: w.cfg.Machines, Events: w.steps, Records: w.checks.tail, Orders: len(w.checks.orders),
		Virtual: w.now, Faults: w.faults.count,
	}
	if w.centre != nil && w.centre.done {
		r.Digest = w.centre.state().Digest()
	}
	return r
}

// storyLimit is how long a story may last, in virtual time.
const storyLimit = 6 * time.Hour

// until takes things from the queue until cond holds.
func (w *world) until(limit time.Duration, cond func() bool) {
	for !cond() {
		if w.now > limit {
			w.fail("nothing converged: %s", w.checks.stuck())
		}
		if !w.next() {
			w.fail("nothing happens any more: %s", w.checks.stuck())
		}
		w.steps++
	}
}

func (w *world) fail(format string, args ...any) { panic(violation(fmt.Sprintf(format, args...))) }

// traceLines is how many of the last lines of a failed run's trace are shown.
const traceLines = 200

func (w *world) tell(format string, args ...any) {
	if !w.cfg.Trace {
		return
	}
	w.trace = append(w.trace, fmt.Sprintf("%12v  ", w.now.Round(time.Millisecond))+fmt.Sprintf(format, args...))
	if len(w.trace) > traceLines {
		w.trace = w.trace[1:]
	}
}

// wall is the time of a clock that is right; a host's own clock may be wrong.
func (w *world) wall() time.Time { return time.Unix(1_450_000_000, 0).Add(w.now).UTC() }

func (w *world) newID() string {
	w.ids++
	return fmt.Sprintf("id-%d", w.ids)
}

// delay is how long a message takes.
func (w *world) delay() time.Duration {
	if w.fault(late) {
		return w.between(time.Second, 2*time.Minute)
	}
	return w.between(time.Millisecond, 40*time.Millisecond)
}
