package logcopy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/jujube-project/jujube/events"
)

// Log reads a copy. It implements events.Log, but for Append. All methods may be called
// concurrently.
type Log struct {
	file  io.ReaderAt
	size  int64
	lines []place // ascending; no two have the same seq
	last  uint64
}

// place is where in the copy a line begins.
type place struct {
	seq uint64
	at  int64
}

var _ events.Log = (*Log)(nil)

// ErrReadOnly is returned by Append.
var ErrReadOnly = errors.New("a copy of a log takes no records")

// ErrEnd is what Follow yields behind the last record.
var ErrEnd = errors.New("a copy of a log does not grow: nothing can be followed while the state server is down")

// Open reads through a copy of size bytes, once, and notes where its records begin. It
// refuses a copy that has no end, and one whose sequences do not ascend.
func Open(file io.ReaderAt, size int64) (*Log, error) {
	l := &Log{file: file, size: size}
	in := json.NewDecoder(io.NewSectionReader(file, 0, size))
	for {
		var n line
		at := in.InputOffset()
		if err := in.Decode(&n); err != nil {
			return nil, fmt.Errorf("read the copy of the log: after sequence %d: %w", l.last, err)
		}
		if n.End {
			if n.Seq != l.last {
				return nil, fmt.Errorf("read the copy of the log: it ends at sequence %d, the log at %d", l.last, n.Seq)
			}
			return l, nil
		}
		if n.Seq <= l.last {
			return nil, fmt.Errorf("read the copy of the log: sequence %d follows %d", n.Seq, l.last)
		}
		l.lines, l.last = append(l.lines, place{n.Seq, at}), n.Seq
	}
}

// Last implements events.Log.
func (l *Log) Last(ctx context.Context) (uint64, error) { return l.last, ctx.Err() }

// Stored implements events.Log.
func (l *Log) Stored(ctx context.Context, from, to uint64) iter.Seq2[events.Stored, error] {
	return func(yield func(events.Stored, error) bool) {
		i, _ := slices.BinarySearchFunc(l.lines, from, func(p place, seq uint64) int { return cmp.Compare(p.seq, seq) })
		next := max(from, 1)
		if i < len(l.lines) {
			in := json.NewDecoder(io.NewSectionReader(l.file, l.lines[i].at, l.size-l.lines[i].at))
			for next <= min(to, l.last) {
				s, err := read(ctx, in, next, to)
				if !yield(s, err) || err != nil && !errors.Is(err, events.ErrGap) {
					return
				}
				next = s.Seq + 1
			}
		}
		if next <= to {
			yield(events.Stored{}, fmt.Errorf("read the copy of the log: sequence %d is behind its end, %d", next, l.last))
		}
	}
}

// read reads the next line. The sequences from next on that are missing are one error.
func read(ctx context.Context, in *json.Decoder, next, to uint64) (events.Stored, error) {
	var n line
	if err := errors.Join(ctx.Err(), in.Decode(&n)); err != nil {
		return events.Stored{}, fmt.Errorf("read the copy of the log at %d: %w", next, err)
	}
	if n.Missing {
		end := min(n.Seq, to)
		return events.Stored{Seq: end}, fmt.Errorf("read the log: %w: sequences %d to %d", events.ErrGap, next, end)
	}
	return events.Stored{Seq: n.Seq, Entity: n.Entity, Time: n.Time, Bytes: n.Bytes}, nil
}

// Read implements events.Log.
func (l *Log) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for s, err := range l.Stored(ctx, from, to) {
			var rec events.Record
			if err == nil {
				rec, err = s.Record()
			}
			if !yield(rec, err) || err != nil && !errors.Is(err, events.ErrInvalid) {
				return
			}
		}
	}
}

// Follow implements events.Log. Nothing is ever added to a copy: behind its end, Follow
// yields ErrEnd.
func (l *Log) Follow(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for rec, err := range l.Read(ctx, from, l.last) {
			if !yield(rec, err) || err != nil && !errors.Is(err, events.ErrInvalid) {
				return
			}
		}
		yield(events.Record{}, errors.Join(ctx.Err(), ErrEnd))
	}
}

// Append implements events.Log: it returns ErrReadOnly.
func (l *Log) Append(context.Context, uint64, ...events.Record) (uint64, error) {
	return 0, ErrReadOnly
}
