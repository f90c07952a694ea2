package tuf_test

import (
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// What verification adds to a download: a machine reads a publication of 400 archives in which two of three
// keys must sign. Beside it stands the hashing of one archive of 12 MiB, which a machine does anyway.
func BenchmarkPublication(b *testing.B) {
	s := newSite(b, 2)
	var list []tools.Tools
	for i := range 400 {
		list = append(list, archive(fmt.Sprintf("1.25.%d", i)))
	}
	s.must(s.repo.SetTools(start.Add(90*day), list...))
	text := s.publish(start).Marshal()
	before := s.begin(s.repo.Bundle())
	b.Run("update", func(b *testing.B) {
		for b.Loop() {
			next, err := tuf.ParseBundle(text)
			s.must(err)
			_, err = before.Update(next, start)
			s.must(err)
		}
		b.ReportMetric(float64(len(text)), "bundle-bytes")
	})
	b.Run("archive", func(b *testing.B) {
		data := make([]byte, 12<<20)
		for b.Loop() {
			sha256.Sum256(data)
		}
	})
}
