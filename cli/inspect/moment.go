package inspect

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// moment is a point in the log's history: a sequence, or a time. The zero moment is now.
type moment struct {
	seq  uint64
	time time.Time
}

// past says whether r was recorded after the moment.
func (m moment) past(r events.Record) bool {
	return m.seq > 0 && r.Seq > m.seq || !m.time.IsZero() && r.Time.After(m.time)
}

// parseMoment reads a sequence or a time.
func parseMoment(text string, now time.Time) (moment, error) {
	if seq, err := strconv.ParseUint(text, 10, 64); err == nil && seq > 0 {
		return moment{seq: seq}, nil
	}
	t, err := parseTime(text, now)
	if err != nil {
		return moment{}, fmt.Errorf("%q is neither a sequence of the log nor a time: %w", text, err)
	}
	return moment{time: t}, nil
}

// parseTime reads a time in one of four forms: RFC 3339; a date, with or without a time, in the zone
// of now; a time of to-day; or how long ago it was ("15m").
func parseTime(text string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(text); err == nil && ago > 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			y, m, d := now.Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, now.Location()), nil
		}
	}
	return time.Time{}, fmt.Errorf("time %q is not like 2015-06-01T12:00:00Z, 2015-06-01 12:00, 12:00 or 15m (ago)", text)
}

// foldLog folds a log from its first record to the moment. A record that cannot be read is folded
// as one that was skipped. root is the root that the client has pinned; empty: it believes the one that the
// log names.
func foldLog(ctx context.Context, log events.Log, root string, at moment) (*projections.State, error) {
	s := projections.New()
	s.Pin(root)
	last, err := log.Last(ctx)
	if err != nil {
		return nil, err
	}
	if at.seq > last {
		return nil, fmt.Errorf("the log ends at %d, there is no %d yet", last, at.seq)
	}
	for rec, err := range log.Read(ctx, 1, last) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return nil, err
		}
		if at.past(rec) {
			break
		}
		s.Fold(rec)
	}
	return s, nil
}
