package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// foldRepeats makes a handler that writes limits.LogRepeats lines of one message in a minute, then
// one that says so, counts those that follow, and writes the count when the minute is over.
// Whoever can make a program write a line for each of his messages does not fill its disk. Lines of
// debugging, and of levels below, are all written.
func foldRepeats(h slog.Handler) slog.Handler {
	return folding{h, &folded{root: h, minutes: map[string]*minute{}, after: func(d time.Duration, f func()) { time.AfterFunc(d, f) }}}
}

type folding struct {
	next slog.Handler
	all  *folded // shared by all that With makes
}

// folded is what was written of each message within its minute.
type folded struct {
	root  slog.Handler // writes the counts
	after func(time.Duration, func())

	mu      sync.Mutex
	minutes map[string]*minute // by message
}

type minute struct{ written, counted int }

const logMinute = time.Minute

// manyMessages bounds the memory: messages are constants, but nobody can be sure.
const manyMessages = 1000

func (f folding) Enabled(ctx context.Context, l slog.Level) bool { return f.next.Enabled(ctx, l) }
func (f folding) WithAttrs(attrs []slog.Attr) slog.Handler {
	return folding{f.next.WithAttrs(attrs), f.all}
}

func (f folding) WithGroup(name string) slog.Handler { return folding{f.next.WithGroup(name), f.all} }

func (f folding) Handle(ctx context.Context, r slog.Record) error {
	if r.Level <= slog.LevelDebug {
		return f.next.Handle(ctx, r)
	}
	switch n := f.all.note(r.Message, func(counted int) { f.ended(r, counted) }); {
	case n > limits.LogRepeats+1:
		return nil
	case n == limits.LogRepeats+1:
		r = r.Clone()
		r.AddAttrs(slog.String("more", "lines of this kind are only counted for a minute"))
	}
	return f.next.Handle(ctx, r)
}

// note counts a line and says which one of its minute it is. ended is called when the minute is
// over and lines of it were left out.
func (a *folded) note(message string, ended func(counted int)) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.minutes[message]
	if m == nil {
		if len(a.minutes) >= manyMessages {
			message = "" // all others together
		}
		if m = a.minutes[message]; m == nil {
			m = &minute{}
			a.minutes[message] = m
			a.after(logMinute, func() { a.over(message, ended) })
		}
	}
	if m.written <= limits.LogRepeats {
		m.written++
		return m.written
	}
	m.counted++
	return m.written + m.counted
}

func (a *folded) over(message string, ended func(counted int)) {
	a.mu.Lock()
	m := a.minutes[message]
	delete(a.minutes, message)
	a.mu.Unlock()
	if m != nil && m.counted > 0 {
		ended(m.counted)
	}
}

// ended writes how many lines were left out.
func (f folding) ended(like slog.Record, counted int) {
	r := slog.NewRecord(time.Now(), like.Level, like.Message, 0)
	r.AddAttrs(slog.Int("left_out", counted))
	_ = f.all.root.Handle(context.Background(), r)
}
