package writer

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/logtree"
)

// keeping is an owner that does what a state server does for every batch: it plans, and keeps
// the tree over the log and its signature, in memory.
type keeping struct {
	plain
	tree *logtree.Tree
	now  time.Time
}

func (k *keeping) Plan(at decide.At, committed uint64) decide.Decision {
	return decide.Plan(at, decide.Outlook{Committed: committed})
}
func (k *keeping) Appended(recs []events.Record, _ time.Duration) { k.tree.Append(recs) }
func (k *keeping) Committed(*projections.State)                   { k.tree.SignIfDue(k.now) }

// BenchmarkReports measures what a report costs between its arrival and its answer, without
// bus, disk and signature: it is read, decided, recorded, folded and answered, in batches of a
// hundred from 256 machines.
func BenchmarkReports(b *testing.B) {
	const machines, batch = 256, 100
	now := time.Unix(1_700_000_000, 0)
	private, _, err := tree.NewKey(rand.Reader, "env")
	if err != nil {
		b.Fatal(err)
	}
	signer, err := tree.NewSigner("env", private)
	if err != nil {
		b.Fatal(err)
	}
	ids := 0
	cfg := Config{
		Log: memlog.New(), Actor: "state-server-0", Logger: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return now }, NewID: func() string { ids++; return fmt.Sprint("id-", ids) },
	}
	state := projections.New()
	for i := range machines {
		id := fmt.Sprint(i)
		state.Machines[id] = &projections.Machine{ID: id, Life: projections.LifeAlive}
	}
	w := New(cfg, state, &keeping{tree: logtree.New("env", signer, cfg.Logger), now: now})
	reports := make([][]byte, b.N)
	for i := range reports {
		reports[i] = started(b, fmt.Sprint(i%machines), uint64(i/machines+1))
	}
	answered := 0
	b.ReportAllocs()
	b.ResetTimer()
	began := processor(b)
	for i, data := range reports {
		told, err := decide.ReadReport(events.MachineTag(fmt.Sprint(i%machines)), data)
		if err != nil {
			b.Fatal(err)
		}
		w.Submit(Change{
			Decide: func(at decide.At) (d decide.Decision, err error) { d, _, err = decide.Report(at, told); return d, err },
			Done: func(_ uint64, err error) {
				if err == nil {
					answered++
				}
			},
		})
		if (i+1)%batch == 0 || i == b.N-1 {
			if err := w.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	b.ReportMetric(float64(processor(b)-began)/float64(b.N), "cpu-ns/op")
	if last, err := cfg.Log.Last(b.Context()); answered != b.N || last != uint64(b.N) || err != nil {
		b.Fatalf("%d of %d reports were recorded, %d answered: %v", last, b.N, answered, err)
	}
}

// started is what the agent of a machine sends in its n-th report.
func started(b *testing.B, machine string, n uint64) []byte {
	b.Helper()
	ran := version.Binary{Number: version.Number{Major: 1, Minor: 25}, Series: "trusty", Arch: "amd64"}
	r := &events.AgentStarted{Version: ran, PID: 4711}
	r.SetHead(events.ReportHead{Machine: machine, Epoch: "e1", N: n})
	rec, err := events.New(events.Envelope{ID: fmt.Sprint(machine, "-", n), Time: time.Unix(1_700_000_000, 0), Actor: events.MachineTag(machine)}, r)
	if err != nil {
		b.Fatal(err)
	}
	data, err := events.Marshal(rec)
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// processor is how much processor time this process has used. What else the machine does
// hardly moves it.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
