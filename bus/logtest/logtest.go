// Package logtest is the conformance suite of events.Log: every implementation of the log
// passes it.
package logtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
)

// Run tests what the comments of events.Log promise. open makes a new, empty log.
func Run(t *testing.T, open func(t *testing.T) events.Log) {
	for name, test := range map[string]func(*testing.T, events.Log){
		"an empty log ends at 0":                 emptyLog,
		"records come back as they were":         roundTrip,
		"an append after another one is refused": conflict,
		"a batch is stored whole or not at all":  atomicBatch,
		"of many writers one wins each place":    race,
		"a follower misses and repeats nothing":  follow,
		"an invalid record is not stored":        invalid,
		"a batch has a limit":                    batchLimit,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func record(t *testing.T, n int) events.Record {
	t.Helper()
	rec, err := events.New(
		events.Envelope{
			ID: fmt.Sprintf("id-%d", n), Time: time.Unix(1_700_000_000, int64(n)), Actor: "operator-tester",
			Correlation: "request-1",
		},
		&events.SettingChanged{Key: "key", Value: fmt.Sprint("value ", n)})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func records(t *testing.T, from, to int) []events.Record {
	t.Helper()
	var recs []events.Record
	for n := from; n <= to; n++ {
		recs = append(recs, record(t, n))
	}
	return recs
}

// appended appends, or fails the test.
func appended(t *testing.T, log events.Log, expected uint64, recs ...events.Record) uint64 {
	t.Helper()
	last, err := log.Append(t.Context(), expected, recs...)
	if err != nil {
		t.Fatalf("append %d records after %d: %v", len(recs), expected, err)
	}
	return last
}

// wantIDs reads [from, to] and compares sequences and ids; the record at sequence n has id-n.
func wantIDs(t *testing.T, log events.Log, from, to uint64) {
	t.Helper()
	next := from
	for rec, err := range log.Read(t.Context(), from, to) {
		if err != nil {
			t.Fatalf("read at %d: %v", next, err)
		}
		if rec.Seq != next || rec.ID != fmt.Sprintf("id-%d", next) {
			t.Fatalf("read sequence %d with %s, want sequence %d with id-%d", rec.Seq, rec.ID, next, next)
		}
		next++
	}
	if next != to+1 {
		t.Fatalf("the reading of %d to %d ended at %d", from, to, next-1)
	}
}

func emptyLog(t *testing.T, log events.Log) {
	last, err := log.Last(t.Context())
	if err != nil || last != 0 {
		t.Fatalf("Last = %d, %v; want 0", last, err)
	}
	for rec, err := range log.Read(t.Context(), 1, last) {
		t.Fatalf("an empty log gave %v, %v", rec, err)
	}
	if last := appended(t, log, 0); last != 0 {
		t.Fatalf("appending nothing moved the log to %d", last)
	}
}

func roundTrip(t *testing.T, log events.Log) {
	want := record(t, 1)
	appended(t, log, 0, want)
	want.Seq = 1
	wantStored(t, log, want)
	wantIDs(t, log, 1, 1)
	for got, err := range log.Read(t.Context(), 1, 1) {
		if err != nil {
			t.Fatal(err)
		}
		if got.Envelope != want.Envelope || got.Kind != want.Kind || got.Entity != want.Entity ||
			string(got.Data) != string(want.Data) || got.Seq != want.Seq {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	}
}

// wantStored compares the bytes of one stored record.
func wantStored(t *testing.T, log events.Log, want events.Record) {
	t.Helper()
	bytes, err := events.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for got, err := range log.Stored(t.Context(), want.Seq, want.Seq) {
		if err != nil || got.Seq != want.Seq || got.Entity != want.Entity || string(got.Bytes) != string(bytes) {
			t.Fatalf("stored %+v, %v\nwant %s", got, err, bytes)
		}
		read++
	}
	if read != 1 {
		t.Fatalf("%d records are stored at %d", read, want.Seq)
	}
}

func conflict(t *testing.T, log events.Log) {
	appended(t, log, 0, record(t, 1))
	for _, expected := range []uint64{0, 2, 100} {
		for _, n := range []int{1, 3} {
			if _, err := log.Append(t.Context(), expected, records(t, 2, 1+n)...); !errors.Is(err, events.ErrConflict) {
				t.Errorf("append of %d after %d: %v, want ErrConflict", n, expected, err)
			}
		}
	}
	if last, err := log.Last(t.Context()); err != nil || last != 1 {
		t.Fatalf("Last = %d, %v; want 1", last, err)
	}
	appended(t, log, 1, record(t, 2))
	wantIDs(t, log, 1, 2)
}

func atomicBatch(t *testing.T, log events.Log) {
	last := appended(t, log, 0, records(t, 1, 100)...)
	if last != 100 {
		t.Fatalf("100 records end at %d", last)
	}
	last = appended(t, log, last, record(t, 101))
	last = appended(t, log, last, records(t, 102, 1001)...)
	wantIDs(t, log, 1, last)
	wantIDs(t, log, 500, 510)
}

func race(t *testing.T, log events.Log) {
	const writers, each = 8, 10
	won := make(chan uint64, writers*each)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				for {
					last, err := log.Last(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					seq, err := log.Append(t.Context(), last, record(t, w*each+i))
					if err == nil {
						won <- seq
						break
					}
					if !errors.Is(err, events.ErrConflict) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	close(won)
	places := map[uint64]bool{}
	for seq := range won {
		if places[seq] {
			t.Fatalf("two writers were given sequence %d", seq)
		}
		places[seq] = true
	}
	if len(places) != writers*each {
		t.Fatalf("%d places for %d appends", len(places), writers*each)
	}
}

func follow(t *testing.T, log events.Log) {
	const total = 60
	appended(t, log, 0, records(t, 1, 10)...)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan uint64)
	ended := make(chan error, 1)
	go func() {
		for rec, err := range log.Follow(ctx, 5) {
			if err != nil {
				ended <- err
				return
			}
			seen <- rec.Seq
		}
	}()
	go func() {
		last := uint64(10)
		for n := 11; n <= total; n++ {
			seq, err := log.Append(ctx, last, record(t, n))
			if err != nil {
				ended <- err
				return
			}
			last = seq
		}
	}()
	for want := uint64(5); want <= total; want++ {
		select {
		case got := <-seen:
			if got != want {
				t.Fatalf("the follower got %d, want %d", got, want)
			}
		case err := <-ended:
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("the follower ended with %v, want context.Canceled", err)
	}
}

func invalid(t *testing.T, log events.Log) {
	bad := record(t, 1)
	bad.Actor = "two words"
	if _, err := log.Append(t.Context(), 0, bad); !errors.Is(err, events.ErrInvalid) {
		t.Fatalf("append of an invalid record: %v, want ErrInvalid", err)
	}
	if last, err := log.Last(t.Context()); err != nil || last != 0 {
		t.Fatalf("Last = %d, %v; want 0", last, err)
	}
}

func batchLimit(t *testing.T, log events.Log) {
	if _, err := log.Append(t.Context(), 0, records(t, 1, limits.BatchRecords+1)...); err == nil {
		t.Fatal("a batch over the limit was taken")
	}
	if last := appended(t, log, 0, records(t, 1, limits.BatchRecords)...); last != limits.BatchRecords {
		t.Fatalf("a full batch ends at %d", last)
	}
}
