package memlog_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
)

// setting is a record of a changed setting. Who appends it to the log is its actor.
func setting(actor, value string) events.Record {
	rec, err := events.New(
		events.Envelope{ID: actor + "-" + value, Time: time.Unix(0, 0), Actor: actor},
		&events.SettingChanged{Key: "name", Value: value})
	if err != nil {
		panic(err)
	}
	return rec
}

// A writer appends behind the sequence where it believes that the log ends. When another
// writer was faster, nothing is stored, and the writer reads what it has missed.
func ExampleLog_Append() {
	ctx, log := context.Background(), memlog.New()
	last, _ := log.Append(ctx, 0, setting("alice", "a"), setting("alice", "b"))
	fmt.Println("ends at", last)

	_, err := log.Append(ctx, 0, setting("bob", "c"))
	fmt.Println(errors.Is(err, events.ErrConflict))
	for rec := range log.Read(ctx, 1, last) {
		fmt.Println(rec.Seq, rec.ID)
	}
	// Output:
	// ends at 2
	// true
	// 1 alice-a
	// 2 alice-b
}

// An acknowledgement can be lost on its way. The records are stored then, and the writer must
// read the log to know that.
func ExampleLog_Fail() {
	ctx, log := context.Background(), memlog.New()
	log.Fail(nil, memlog.Unacked)
	_, err := log.Append(ctx, 0, setting("alice", "a"))
	fmt.Println(err)
	last, _ := log.Last(ctx)
	fmt.Println("ends at", last)
	// Output:
	// injected fault
	// ends at 1
}
