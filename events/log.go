package events

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// Log is the append-only log of an environment. Package bus keeps it on JetStream and bus/memlog
// in memory. One conformance suite (bus/logtest) tests that both do what this text says.
//
// Sequences start at 1, have no gaps and are never used again. All methods may be called
// concurrently.
type Log interface {
	// Append stores recs, all or none of them, directly behind the sequence expected. It
	// takes at most MaxBatch records and returns the sequence of the last one. When the
	// error is nil, the records are on disk.
	//
	// Append returns ErrConflict if the log does not end at expected: somebody else has
	// written. The caller reads the new records, folds them, and decides again. After any
	// other error it is unknown whether recs were stored: the caller reads from expected+1
	// before it tries again.
	Append(ctx context.Context, expected uint64, recs ...Record) (last uint64, err error)

	// Read yields the records from sequence from to sequence to, both included, in order;
	// to is at most what Last returned. Bytes that are no valid record are yielded as a
	// Record with its Seq and an error that wraps ErrInvalid, and reading goes on. Any
	// other error ends the reading.
	Read(ctx context.Context, from, to uint64) iter.Seq2[Record, error]

	// Stored is Read for a caller that needs the exact bytes, or that reads a log which may
	// be damaged. For missing sequences it yields one error that wraps ErrGap, with the Seq
	// of the last one missing there, and reading goes on.
	Stored(ctx context.Context, from, to uint64) iter.Seq2[Stored, error]

	// Follow is Read without an end. It waits for new records until ctx is done, and then
	// yields the error of ctx. It skips no record and repeats none.
	Follow(ctx context.Context, from uint64) iter.Seq2[Record, error]

	// Last returns the sequence of the newest record, 0 for an empty log.
	Last(ctx context.Context) (uint64, error)
}

// Stored is a record as the log has it, byte for byte.
type Stored struct {
	Seq    uint64
	Entity string    // its subject without the log's prefix
	Time   time.Time // when the log stored it; set only if Bytes are no record
	Bytes  []byte
}

// Record decodes the bytes. It returns an error that wraps ErrInvalid if they are no record, or if
// the record is about another entity than its subject says. The result then has a Seq and a Time
// and nothing else.
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

// ErrGap says that a record is missing in the log. Nobody may delete records, so the files of the
// log were damaged, or somebody tampered with them.
var ErrGap = errors.New("a record is missing")

// MaxBatch is how many records one Append takes at most. Source: JetStream's limit of an atomic
// batch.
const MaxBatch = limits.BatchRecords

// ErrConflict is returned by Log.Append when the log does not end where the writer expected. The
// state that the writer decided on is old: it must read on before it decides again.
var ErrConflict = errors.New("the log has moved on")
