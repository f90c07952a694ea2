// Command bench measures what docs/BENCHMARKS.md promises and prints a table. Each figure is
// measured beside its yardstick, in the same run: make bench.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"
)

// figure is one line of the table.
type figure struct {
	what      string
	ours      string
	yardstick string
	ratio     string
	target    string
}

// sizes say how much is measured.
type sizes struct {
	rounds   int
	senders  int
	window   time.Duration // of one round of ingest
	events   int           // to replay
	machines int           // in a status
	agents   int           // that are connected
	base     string        // commit whose programs are measured, too, for comparison; empty: none
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "workload" {
		fmt.Fprintln(os.Stderr, "ERROR", workload(os.Args[2]))
		os.Exit(1)
	}
	s := sizes{}
	var profile string
	only := flag.String("only", "", "one of ingest, replay, status, orders, connect, memory, agent, sizes; all if empty")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds of which the median is shown")
	flag.IntVar(&s.senders, "senders", 256, "agents that report at once")
	flag.DurationVar(&s.window, "window", 3*time.Second, "length of a round of ingest")
	flag.IntVar(&s.events, "events", 1_000_000, "records to replay")
	flag.IntVar(&s.machines, "machines", 10_000, "machines in the status")
	flag.IntVar(&s.agents, "agents", 2_000, "agents connected when orders are given")
	flag.StringVar(&s.base, "base", "", "commit whose juju and jujud are measured beside ours (sizes)")
	flag.StringVar(&profile, "cpuprofile", "", "write a CPU profile to this file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := profiled(profile, func() error { return run(ctx, s, *only) })
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR", err)
		os.Exit(1)
	}
}

// profiled runs f under the CPU profiler if file is named.
func profiled(file string, f func() error) error {
	if file == "" {
		return f()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return errors.Join(err, out.Close())
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}

// run measures one thing after another and prints each figure when it is known.
func run(ctx context.Context, s sizes, only string) error {
	dir, err := os.MkdirTemp("", "jujube-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	fmt.Printf("%s, %d CPUs, %s, median of %d\n\n", runtime.Version(), runtime.NumCPU(), cpu(), s.rounds)
	fmt.Println("| What | Here | Yardstick, same run | Ratio | Target |")
	fmt.Println("|---|---|---|---|---|")
	for _, m := range []struct {
		name    string
		measure func(context.Context, string, sizes) ([]figure, error)
	}{
		{"ingest", ingest},
		{"replay", replay},
		{"status", fleetStatus},
		{"orders", orders},
		{"connect", connect},
		{"memory", memory},
		{"agent", agents},
		{"sizes", programSizes},
	} {
		if only != "" && only != m.name {
			continue
		}
		place, err := os.MkdirTemp(dir, m.name)
		if err != nil {
			return err
		}
		figures, err := m.measure(ctx, place, s)
		if err != nil {
			return fmt.Errorf("measure %s: %w", m.name, err)
		}
		for _, f := range figures {
			fmt.Printf("| %s | %s | %s | %s | %s |\n", f.what, f.ours, f.yardstick, f.ratio, f.target)
		}
	}
	return nil
}

func cpu() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(b)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return runtime.GOARCH
}

// ratio is the median of a[i]/b[i] over the rounds. The two halves of a round are measured one
// right after the other, so a host that is busy with something else slows both down.
func ratio[T ~int | ~int64 | ~float64](a, b []T) float64 {
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = float64(a[i]) / float64(b[i])
	}
	return median(ratios)
}

func median[T ~int | ~int64 | ~float64](values []T) T {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}
