package logcopy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jujube-project/jujube/events"
)

// line is one document of a copy.
type line struct {
	Seq     uint64    `json:"seq"`               // of the record, of the last that is missing, or of the log's end
	Entity  string    `json:"entity,omitempty"`  // the record's subject below the log's prefix
	Time    time.Time `json:"time,omitzero"`     // when the log took it
	Bytes   []byte    `json:"bytes,omitempty"`   // the record
	Missing bool      `json:"missing,omitempty"` // the log lacks the sequences up to Seq
	End     bool      `json:"end,omitempty"`     // there is nothing after Seq
}

// Write copies a log to w.
func Write(ctx context.Context, w io.Writer, log events.Log) error {
	last, err := log.Last(ctx)
	if err != nil {
		return fmt.Errorf("copy the log: %w", err)
	}
	out := json.NewEncoder(w)
	for s, err := range log.Stored(ctx, 1, last) {
		missing := errors.Is(err, events.ErrGap)
		if err != nil && !missing {
			return fmt.Errorf("copy the log: %w", err)
		}
		if err := out.Encode(line{Seq: s.Seq, Entity: s.Entity, Time: s.Time, Bytes: s.Bytes, Missing: missing}); err != nil {
			return fmt.Errorf("copy the log: %w", err)
		}
	}
	if err := out.Encode(line{Seq: last, End: true}); err != nil {
		return fmt.Errorf("copy the log: %w", err)
	}
	return nil
}
