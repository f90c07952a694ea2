package writer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
)

// retryLog is how long the writer waits before it asks an unreachable log again.
const retryLog = 200 * time.Millisecond

// append puts records on disk behind the expected end of the log. When it is unknown whether
// a try was stored, the log itself is asked; nobody is told "stored" before it says so.
func (w *Writer) append(ctx context.Context, expected uint64, recs []events.Record) error {
	if len(recs) == 0 {
		return nil
	}
	for start := time.Now(); ; {
		_, err := w.cfg.Log.Append(ctx, expected, recs...)
		there := err == nil
		if err != nil {
			w.cfg.Logger.Warn("appending", "records", len(recs), "behind", expected, "err", err)
			if there, err = w.isStored(ctx, expected, recs); err != nil {
				return fmt.Errorf("append to the log: %w", err)
			}
		}
		if there {
			w.owner.Appended(recs, time.Since(start))
			return nil
		}
		if w.cfg.Mend != nil {
			w.cfg.Mend()
		}
		if err := w.cfg.Pause(ctx, retryLog); err != nil {
			return fmt.Errorf("append to the log: %w", err)
		}
	}
}

// isStored says whether exactly these records lie behind expected. False means that nothing
// lies there; another writer's record is events.ErrConflict.
func (w *Writer) isStored(ctx context.Context, expected uint64, recs []events.Record) (bool, error) {
	for {
		last, err := w.cfg.Log.Last(ctx)
		if err == nil && last == expected {
			return false, nil
		}
		if err == nil {
			var same bool
			if same, err = w.same(ctx, expected, last, recs); err == nil && same {
				return true, nil
			}
			if err == nil {
				return false, fmt.Errorf("%w: behind sequence %d lie another writer's records", events.ErrConflict, expected)
			}
		}
		w.cfg.Logger.Warn("asking the log what it holds", "behind", expected, "err", err)
		if err := w.cfg.Pause(ctx, retryLog); err != nil {
			return false, err
		}
	}
}

// same says whether recs are what lies behind expected. What is no record at all is another
// writer's; any other error says nothing about the log.
func (w *Writer) same(ctx context.Context, expected, last uint64, recs []events.Record) (bool, error) {
	n := 0
	for rec, err := range w.cfg.Log.Read(ctx, expected+1, min(last, expected+uint64(len(recs)))) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return false, err
		}
		if err != nil || rec.ID != recs[n].ID {
			return false, nil
		}
		n++
	}
	return n == len(recs), nil
}
