// Command soak plays simulated fleets (package fleet) for a given time: one large fleet,
// then small ones, each with a seed of its own. When something does not hold, it exits with 1 and
// says how to play that fleet again. `make soak TIME=60s` runs it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/sim/fleet"
)

func main() {
	s := &soak{}
	flag.DurationVar(&s.time, "time", time.Minute, "how long new fleets are begun")
	flag.Uint64Var(&s.next, "seed", uint64(time.Now().UnixNano())%1_000_000_000, "first seed; each further fleet has the next one")
	flag.IntVar(&s.agents, "agents", 10_000, "machines of the first fleet of each worker")
	flag.IntVar(&s.small, "small", 40, "most machines of the others")
	flag.BoolVar(&s.once, "once", false, "play the first fleet only")
	workers := flag.Int("workers", runtime.NumCPU(), "fleets at a time; each is played by one goroutine")
	flag.Parse()
	if err := s.run(*workers); err != nil {
		fmt.Fprintln(os.Stderr, "ERROR", err)
		os.Exit(1)
	}
}

// soak counts the fleets that are played.
type soak struct {
	time          time.Duration
	agents, small int
	once          bool

	mu      sync.Mutex
	next    uint64
	fleets  int
	total   fleet.Result
	largest int
	failed  error
}

func (s *soak) run(workers int) error {
	began := time.Now()
	fmt.Printf("first seed %d, %v, %d workers, fleets of %d and of up to %d machines\n", s.next, s.time, workers, s.agents, s.small)
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() { s.work(began, n == 0) })
	}
	wg.Wait()
	s.report(time.Since(began))
	return s.failed
}

// work plays fleets until the time is over; the first worker begins with the large one.
func (s *soak) work(began time.Time, large bool) {
	for first := true; first || !s.once && time.Since(began) < s.time; first = false {
		if s.once && !large {
			return
		}
		cfg, ok := s.draw(first && large)
		if !ok {
			return
		}
		r, err := fleet.Run(cfg)
		s.count(cfg, r, err)
	}
}

func (s *soak) draw(large bool) (fleet.Config, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg := fleet.Config{Seed: s.next, Machines: 1 + int(s.next%uint64(s.small))}
	if large {
		cfg.Machines = s.agents
	}
	s.next++
	return cfg, s.failed == nil
}

func (s *soak) count(cfg fleet.Config, r fleet.Result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fleets++
	s.total.Add(r)
	s.largest = max(s.largest, cfg.Machines)
	if err != nil {
		s.failed = errors.Join(s.failed, fmt.Errorf("%w\nplay it again: go run ./sim/soak -once -seed %d -agents %d", err, cfg.Seed, cfg.Machines))
	}
}

func (s *soak) report(took time.Duration) {
	fmt.Printf("%d fleets (seeds) in %v: %.1f seeds/s\n", s.fleets, took.Round(time.Second), float64(s.fleets)/took.Seconds())
	fmt.Printf("%d agents, the largest fleet has %d; %d orders; %d records in the logs; %d simulated events; %v of simulated time\n",
		s.total.Machines, s.largest, s.total.Orders, s.total.Records, s.total.Events, s.total.Virtual.Round(time.Hour))
	kinds, all := []string{}, 0
	for kind, n := range s.total.Faults {
		kinds = append(kinds, fmt.Sprintf("  %-32s %8d", kind, n))
		all += n
	}
	slices.Sort(kinds)
	fmt.Printf("%d faults injected:\n%s\n", all, strings.Join(kinds, "\n"))
	if s.failed == nil {
		fmt.Println("Everything held, and every fleet came to its newest version.")
	}
}
