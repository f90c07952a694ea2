package projections_test

import (
	"fmt"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/scenario"
)

// fleet is the log of an upgrade of n machines, all reports included.
func fleet(n int) []events.Record {
	s := scenario.New()
	s.Line("env demo 1.24.0")
	s.Line("ask u1 1.25.0")
	s.Line("accept u1 1.24.0 1.25.0")
	for i := range n {
		for _, line := range []string{
			"enrol %d 1.24.0", "start %d 1.24.0", "order %d u1 1.24.0 1.25.0", "downloading %d u1 0",
			"downloading %d u1 50", "downloading %d u1 100", "staged %d u1", "restarting %d u1 1.24.0 1.25.0",
			"start %d 1.25.0", "upgraded %d u1 1.25.0",
		} {
			s.Line(fmt.Sprintf(line, i))
		}
	}
	return s.Records
}

func foldAll(records []events.Record) *projections.State {
	s := projections.New()
	for _, r := range records {
		s.Fold(r)
	}
	return s
}

// Decoding the payloads is included; reading the records is not: see BenchmarkReplay in sim/bench.
func BenchmarkFold(b *testing.B) {
	records := fleet(1000)
	b.ReportAllocs()
	for n := 0; n < b.N; {
		s := projections.New()
		for _, r := range records[:min(len(records), b.N-n)] {
			s.Fold(r)
		}
		n += len(records)
	}
}

func BenchmarkFoldReport(b *testing.B) {
	records := fleet(1)
	s := foldAll(records[:6])
	r := records[7]
	b.ReportAllocs()
	for b.Loop() {
		r.Seq++
		s.Fold(r)
	}
}

func BenchmarkDigest(b *testing.B) {
	s := foldAll(fleet(10_000))
	b.ResetTimer()
	for b.Loop() {
		s.Digest()
	}
}

// The target is 100 ms for 10,000 machines.
func BenchmarkDecodeSnapshot(b *testing.B) {
	snapshot := projections.EncodeSnapshot(foldAll(fleet(10_000)))
	b.SetBytes(int64(len(snapshot)))
	for b.Loop() {
		if _, err := projections.DecodeSnapshot(snapshot); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkClone(b *testing.B) {
	s := foldAll(fleet(10_000))
	b.ResetTimer()
	for b.Loop() {
		s.Clone()
	}
}
