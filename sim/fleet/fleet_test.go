package fleet

import (
	"flag"
	"testing"
)

var (
	seed   = flag.Uint64("seed", 0, "play this seed only")
	agents = flag.Int("agents", 0, "machines of that fleet; 0: as many as the seed has here")
)

// size is how many machines the fleet of a seed has.
func size(seed uint64) int { return 1 + int(seed%12) }

// Whatever happens to a fleet, after every event holds what must hold (check.go). When the faults
// stop, every machine comes to the newest version.
func TestFleetsConverge(t *testing.T) {
	if *seed > 0 {
		if *agents == 0 {
			*agents = size(*seed)
		}
		r, err := Run(Config{Seed: *seed, Machines: *agents, Trace: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", r)
		return
	}
	var total Result
	for n := range uint64(seeds) {
		r, err := Run(Config{Seed: n, Machines: size(n)})
		if err != nil {
			t.Fatalf("%v\nplay it again: go test ./sim/fleet -run Converge -seed %d", err, n)
		}
		total.Add(r)
	}
	for _, kind := range append(kinds, badRelease) {
		if total.Faults[kind] == 0 {
			t.Errorf("no fleet had the fault %q", kind)
		}
	}
	t.Logf("%d fleets, %d orders, %d events, faults %v", seeds, total.Orders, total.Events, total.Faults)
}

// Stories that ended badly once, each because of a fault in the product that is mended.
func TestStoriesThatOnceWentWrong(t *testing.T) {
	for _, c := range []Config{
		{Seed: 892839153, Machines: 34}, // an agent was killed after it wrote NoReturn and before it reported that
		{Seed: 339618032, Machines: 33}, // a version that had never proved itself came back and counted as good
	} {
		if _, err := Run(c); err != nil {
			t.Error(err)
		}
	}
}

// The same seed gives the same story.
func TestASeedIsAStory(t *testing.T) {
	for _, n := range []uint64{4, 5, 211} {
		first, err := Run(Config{Seed: n, Machines: size(n)})
		if err != nil {
			t.Fatal(err)
		}
		second, err := Run(Config{Seed: n, Machines: size(n), Trace: true})
		if err != nil || first.Digest != second.Digest || first.Events != second.Events || first.Records != second.Records {
			t.Fatalf("seed %d: first %+v, then %+v, %v", n, first, second, err)
		}
	}
}
