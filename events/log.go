package events

import (
	"context"
	"errors"
	"iter"

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

	// Follow is Read without an end: it waits for new records until ctx is done, and
	// then yields ctx's error. It skips none and repeats none.
	Follow(ctx context.Context, from uint64) iter.Seq2[Record, error]

	// Last returns the sequence of the newest record, 0 for an empty log.
	Last(ctx context.Context) (uint64, error)
}

// MaxBatch is how many records one Append takes (JetStream's own limit of an atomic batch).
const MaxBatch = limits.BatchRecords

// ErrConflict is returned by Log.Append when the log does not end where the writer
// thought. The writer's state is old: it must read on before it decides again.
var ErrConflict = errors.New("the log has moved on")
