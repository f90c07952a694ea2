package events

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// Log is the append-only record of an environment. bus keeps it on JetStream,
// bus/memlog in memory; one conformance suite (bus/logtest) holds both to this text.
//
// Sequences start at 1, have no gaps and are never used again. All methods may be
// called concurrently.
type Log interface {
	// Append stores recs, all or none, directly behind the sequence expected, and
	// returns the sequence of the last of them. When it returns nil they are on disk.
	//
	// It returns ErrConflict if the log does not end at expected: somebody else wrote.
	// Read on, fold, and decide again. Any other error leaves it unknown whether recs
	// were stored: read from expected+1 before trying again. At most MaxBatch records.
	Append(ctx context.Context, expected uint64, recs ...Record) (last uint64, err error)

	// Read yields the records from sequence from to sequence to, both included, in
	// order; to is at most what Last said. A record that is no valid record is yielded
	// with its Seq and an error that wraps ErrInvalid, and reading goes on; any other
	// error ends the reading.
	Read(ctx context.Context, from, to uint64) iter.Seq2[Record, error]

	// Stored is Read for who looks at the exact bytes, and at a log that may be damaged: a
	// sequence that is missing is yielded with an error that wraps ErrGap, with the Seq of
	// the last that is missing there, and reading goes on.
	Stored(ctx context.Context, from, to uint64) iter.Seq2[Stored, error]

	// Follow is Read without an end: it waits for new records until ctx is done, and
	// then yields ctx's error. It skips none and repeats none.
	Follow(ctx context.Context, from uint64) iter.Seq2[Record, error]

	// Last returns the sequence of the newest record, 0 for an empty log.
	Last(ctx context.Context) (uint64, error)
}

// Stored is a record as it lies in the log, byte for byte.
type Stored struct {
	Seq    uint64
	Entity string    // its subject below the log's prefix
	Time   time.Time // when the log took it; only where its bytes are no record
	Bytes  []byte
}

// Record reads it. What is no record is an error that wraps ErrInvalid; the result then
// has only a Seq and a Time.
func (s Stored) Record() (Record, error) {
	rec, err := Unmarshal(s.Bytes)
	if err == nil && rec.Entity != s.Entity {
		err = fmt.Errorf("%w: it lies under %q but speaks of %q", ErrInvalid, s.Entity, rec.Entity)
	}
	if err != nil {
		return Record{Envelope: Envelope{Time: s.Time}, Seq: s.Seq}, fmt.Errorf("sequence %d: %w", s.Seq, err)
	}
	rec.Seq = s.Seq
	return rec, nil
}

// ErrGap: the log lacks a record. Nobody may delete from it, so its files were tampered
// with, or damaged.
var ErrGap = errors.New("a record is missing")

// MaxBatch is how many records one Append takes (JetStream's own limit of an atomic batch).
const MaxBatch = limits.BatchRecords

// ErrConflict is returned by Log.Append when the log does not end where the writer
// thought. The writer's state is old: it must read on before it decides again.
var ErrConflict = errors.New("the log has moved on")
