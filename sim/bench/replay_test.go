package main

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// BenchmarkReplay reads a log out of JetStream, in turn without folding it and with. It counts
// the processor time of this process, NATS included: the time on the wall would mostly show what
// else the machine does.
func BenchmarkReplay(b *testing.B) {
	const n = 100_000
	p, err := startBus(b.Context(), filepath.Join(b.TempDir(), "nats"))
	if err != nil {
		b.Fatal(err)
	}
	defer p.close()
	log := p.conn.Log()
	if err := writeHistory(b.Context(), log, n); err != nil {
		b.Fatal(err)
	}
	ways := []struct {
		unit string
		fold func(*projections.State, events.Record)
		took time.Duration
	}{
		{"reading-ns/record", func(*projections.State, events.Record) {}, 0},
		{"folding-ns/record", func(s *projections.State, r events.Record) { s.Fold(r) }, 0},
	}
	for b.Loop() {
		for i := range ways {
			s := projections.New()
			start := processorTime(b)
			if err := each(b.Context(), log, 1, n, func(r events.Record) { ways[i].fold(s, r) }); err != nil {
				b.Fatal(err)
			}
			ways[i].took += processorTime(b) - start
		}
	}
	for _, w := range ways {
		b.ReportMetric(float64(w.took.Nanoseconds())/float64(n*b.N), w.unit)
	}
	b.ReportMetric(0, "ns/op")
}

// processorTime is how long processors have worked for this process.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
