package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// B20: somebody who was refused a hundred thousand times made the log of the state server's host grow by
// 23 MB in four seconds. Of one kind a few lines are written, then one that says that there are more, and
// a count when they end.
func TestB20AFloodFillsNoLog(t *testing.T) {
	var said strings.Builder
	log := slog.New(foldRepeats(slog.NewTextHandler(&said, nil)))
	ends := []func(){}
	log.Handler().(folding).all.after = func(_ time.Duration, f func()) { ends = append(ends, f) }
	lines := func() int { return strings.Count(said.String(), "\n") }
	for range limits.LogRepeats {
		log.With("key", "U1").Warn("refused", "machine", "9999")
	}
	if n := lines(); n != limits.LogRepeats || strings.Contains(said.String(), "more=") {
		t.Fatalf("up to the limit %d lines are written, want %d", n, limits.LogRepeats)
	}
	for range 100_000 {
		log.Warn("refused", "machine", "9999")
	}
	log.Warn("something else")
	if n := lines(); n != limits.LogRepeats+2 || strings.Count(said.String(), "more=") != 1 {
		t.Fatalf("of a flood %d lines are written:\n%s", n, said.String())
	}
	for _, f := range ends {
		f()
	}
	if n := lines(); n != limits.LogRepeats+3 || !strings.Contains(said.String(), "msg=refused left_out=99999") {
		t.Fatalf("at its end:\n%s", said.String())
	}
	log.Warn("refused", "machine", "1")
	if n := lines(); n != limits.LogRepeats+4 {
		t.Fatal("a line after it is left out")
	}
}
