// Package memlog is the log of an environment in memory. It keeps the contract of events.Log,
// as bus.Log does, and one conformance suite (bus/logtest) holds both to it. A caller can make
// it fail as a log on a network does. It is for tests and for simulated fleets, and links no
// NATS.
package memlog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/jujube-project/jujube/events"
)

// Fault is how an Append fails that Log.Fail has made fail.
type Fault int

// Faults of an Append.
const (
	Lost    Fault = iota + 1 // nothing is stored, and the writer gets an error
	Unacked                  // everything is stored, but the writer gets an error
	Beaten                   // another writer's record is stored first: events.ErrConflict
)

// ErrFault is what an Append returns that is Lost or Unacked: one error for both, because the
// writer cannot tell them apart.
var ErrFault = errors.New("injected fault")

// Log keeps records in memory. The zero Log is empty and ready to use. Its methods may be
// called concurrently.
type Log struct {
	mu     sync.Mutex
	recs   []events.Record
	grown  chan struct{} // closed when the log grows; nil while nobody waits for that
	faults []Fault       // of the next Appends
	rival  func() events.Record
}

var _ events.Log = (*Log)(nil)

// New makes an empty log.
func New() *Log { return &Log{} }

// Fail makes the next Appends fail, one for each fault. rival gives the record that is stored
// first when the fault is Beaten.
func (l *Log) Fail(rival func() events.Record, faults ...Fault) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults, l.rival = append(l.faults, faults...), rival
}

// Append implements events.Log. An Append that is refused for its records uses up no fault.
func (l *Log) Append(ctx context.Context, expected uint64, recs ...events.Record) (uint64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if len(recs) > events.MaxBatch {
		return 0, fmt.Errorf("append %d records: at most %d", len(recs), events.MaxBatch)
	}
	for _, r := range recs {
		if _, err := events.Marshal(r); err != nil {
			return 0, fmt.Errorf("append: %w", err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fault := l.nextFault()
	switch fault {
	case Lost:
		return 0, ErrFault
	case Beaten:
		l.store(l.rival())
	}
	if expected != uint64(len(l.recs)) {
		return 0, fmt.Errorf("append after %d: %w: it ends at %d", expected, events.ErrConflict, len(l.recs))
	}
	l.store(recs...)
	if fault == Unacked {
		return 0, ErrFault
	}
	return uint64(len(l.recs)), nil
}

// nextFault must be called with the lock held, and so must store.
func (l *Log) nextFault() Fault {
	if len(l.faults) == 0 {
		return 0
	}
	f := l.faults[0]
	l.faults = l.faults[1:]
	return f
}

func (l *Log) store(recs ...events.Record) {
	for _, r := range recs {
		r.Seq = uint64(len(l.recs)) + 1
		l.recs = append(l.recs, r)
	}
	if l.grown != nil && len(recs) > 0 {
		close(l.grown)
		l.grown = nil
	}
}

// Last implements events.Log.
func (l *Log) Last(ctx context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.recs)), ctx.Err()
}

// at returns the record at seq, or a channel that is closed when the log grows.
func (l *Log) at(seq uint64) (events.Record, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq <= uint64(len(l.recs)) {
		return l.recs[seq-1], nil
	}
	if l.grown == nil {
		l.grown = make(chan struct{})
	}
	return events.Record{}, l.grown
}

// Read implements events.Log.
func (l *Log) Read(ctx context.Context, from, to uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for seq := max(from, 1); seq <= to; seq++ {
			rec, missing := l.at(seq)
			err := ctx.Err()
			if err == nil && missing != nil {
				err = fmt.Errorf("read the log: sequence %d is after its end", seq)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// Stored implements events.Log.
func (l *Log) Stored(ctx context.Context, from, to uint64) iter.Seq2[events.Stored, error] {
	return func(yield func(events.Stored, error) bool) {
		for rec, err := range l.Read(ctx, from, to) {
			var b []byte
			if err == nil {
				b, err = events.Marshal(rec)
			}
			if !yield(events.Stored{Seq: rec.Seq, Entity: rec.Entity, Time: rec.Time, Bytes: b}, err) || err != nil {
				return
			}
		}
	}
}

// Follow implements events.Log.
func (l *Log) Follow(ctx context.Context, from uint64) iter.Seq2[events.Record, error] {
	return func(yield func(events.Record, error) bool) {
		for seq := max(from, 1); ; {
			rec, missing := l.at(seq)
			if missing == nil && ctx.Err() == nil {
				if !yield(rec, nil) {
					return
				}
				seq++
				continue
			}
			select {
			case <-missing:
			case <-ctx.Done():
				yield(events.Record{}, ctx.Err())
				return
			}
		}
	}
}
