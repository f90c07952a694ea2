package logcopy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/logcopy"
)

// stored is a log of which Write reads: some of its sequences are missing.
type stored struct {
	events.Log
	last uint64
	recs []events.Stored // ascending
}

func (l stored) Last(context.Context) (uint64, error) { return l.last, nil }

func (l stored) Stored(_ context.Context, from, to uint64) iter.Seq2[events.Stored, error] {
	return func(yield func(events.Stored, error) bool) {
		next := from
		for _, s := range l.recs {
			if s.Seq > next && !yield(events.Stored{Seq: s.Seq - 1}, events.ErrGap) || !yield(s, nil) {
				return
			}
			next = s.Seq + 1
		}
		if next <= to {
			yield(events.Stored{Seq: to}, events.ErrGap)
		}
	}
}

func record(t testing.TB, seq uint64) events.Stored {
	t.Helper()
	envelope := events.Envelope{ID: fmt.Sprint("id-", seq), Time: time.Unix(1, 0), Actor: "operator-ann"}
	rec, err := events.New(envelope, &events.SettingChanged{Key: "k", Value: fmt.Sprint(seq)})
	if err != nil {
		t.Fatal(err)
	}
	b, err := events.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	return events.Stored{Seq: seq, Entity: rec.Entity, Time: rec.Time, Bytes: b}
}

func copied(t testing.TB, l stored) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := logcopy.Write(t.Context(), &b, l); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, b []byte) *logcopy.Log {
	t.Helper()
	l, err := logcopy.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// sayStored is what Stored yields, in short.
func sayStored(t *testing.T, l *logcopy.Log, from, to uint64) string {
	var said []string
	for s, err := range l.Stored(t.Context(), from, to) {
		switch {
		case errors.Is(err, events.ErrGap):
			said = append(said, fmt.Sprint("missing to ", s.Seq))
		case err != nil:
			said = append(said, err.Error())
		default:
			said = append(said, fmt.Sprint(s.Seq))
		}
	}
	return strings.Join(said, ", ")
}

func TestACopyIsReadAsTheLogIs(t *testing.T) {
	l := open(t, copied(t, stored{last: 8, recs: []events.Stored{record(t, 1), record(t, 2), record(t, 5), record(t, 6)}}))
	if last, err := l.Last(t.Context()); last != 8 || err != nil {
		t.Fatalf("it ends at %d, %v", last, err)
	}
	for _, c := range []struct {
		from, to uint64
		want     string
	}{
		{1, 8, "1, 2, missing to 4, 5, 6, missing to 8"},
		{0, 2, "1, 2"},
		{2, 3, "2, missing to 3"},
		{4, 5, "missing to 4, 5"},
		{6, 6, "6"},
		{7, 7, "missing to 7"},
		{5, 4, ""},
		{6, 9, "6, missing to 8, read the copy of the log: sequence 9 is behind its end, 8"},
		{12, 12, "read the copy of the log: sequence 12 is behind its end, 8"},
	} {
		if got := sayStored(t, l, c.from, c.to); got != c.want {
			t.Errorf("%d to %d: %s; want %s", c.from, c.to, got, c.want)
		}
	}
}

func TestARecordKeepsItsBytes(t *testing.T) {
	want, bad := record(t, 1), events.Stored{Seq: 2, Entity: "x", Time: time.Unix(7, 9).UTC(), Bytes: []byte("no record")}
	l := open(t, copied(t, stored{last: 2, recs: []events.Stored{want, bad}}))
	for s, err := range l.Stored(t.Context(), 1, 1) {
		if err != nil || !bytes.Equal(s.Bytes, want.Bytes) || s.Entity != want.Entity {
			t.Errorf("%+v, %v", s, err)
		}
	}
	var said []string
	for rec, err := range l.Read(t.Context(), 1, 2) {
		said = append(said, fmt.Sprint(rec.Seq, " ", rec.Kind, " ", errors.Is(err, events.ErrInvalid)))
	}
	if got := strings.Join(said, ", "); got != "1 setting.changed/1 false, 2  true" {
		t.Error(got)
	}
}

func TestFollowEndsBehindTheLastRecord(t *testing.T) {
	l := open(t, copied(t, stored{last: 1, recs: []events.Stored{record(t, 1)}}))
	var said []string
	for rec, err := range l.Follow(t.Context(), 1) {
		said = append(said, fmt.Sprint(rec.Seq, errors.Is(err, logcopy.ErrEnd)))
	}
	if got := strings.Join(said, ", "); got != "1 false, 0 true" {
		t.Error(got)
	}
}

func TestNothingIsAppended(t *testing.T) {
	if _, err := open(t, copied(t, stored{})).Append(t.Context(), 0); !errors.Is(err, logcopy.ErrReadOnly) {
		t.Error(err)
	}
}

func TestCopiesThatAreRefused(t *testing.T) {
	whole := copied(t, stored{last: 2, recs: []events.Stored{record(t, 1), record(t, 2)}})
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for name, b := range map[string][]byte{
		"nothing":          nil,
		"no end":           bytes.Join(lines[:2], nil),
		"cut off":          whole[:len(whole)/2],
		"one twice":        bytes.Join([][]byte{lines[0], lines[0], lines[2]}, nil),
		"the last is gone": bytes.Join([][]byte{lines[0], lines[2]}, nil),
	} {
		if _, err := logcopy.Open(bytes.NewReader(b), int64(len(b))); err == nil {
			t.Errorf("%s: it was opened", name)
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(copied(f, stored{last: 3, recs: []events.Stored{record(f, 1), record(f, 3)}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := logcopy.Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		last, _ := l.Last(t.Context())
		for _, err := range l.Stored(t.Context(), 1, last) {
			if err != nil && !errors.Is(err, events.ErrGap) {
				t.Fatalf("it was opened and cannot be read: %v", err)
			}
		}
	})
}
