package events_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
)

// A record is one line with its envelope, then its payload: a person can read it in any NATS tool.
func ExampleMarshal() {
	rec, err := events.New(events.Envelope{
		ID: "r1", Time: time.Unix(1433160000, 0), Actor: "operator-alice",
	}, &events.SettingChanged{Key: "upgrade-max-in-flight", Value: "5"})
	if err != nil {
		panic(err)
	}
	b, err := events.Marshal(rec)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(b))
	// Output:
	// jujube/1 r1 setting.changed/1 1433160000000000000 environment operator-alice - -
	// {"key":"upgrade-max-in-flight","value":"5"}
}

// A record of a newer release is counted and skipped; what it says stays in the log.
func ExampleDecode() {
	for _, rec := range []events.Record{
		{Kind: "setting.changed/1", Entity: "environment", Data: []byte(`{"key":"upgrade-max-in-flight","value":"5"}`)},
		{Kind: "setting.changed/9", Entity: "environment", Data: []byte(`{"what":"a later release knows"}`)},
	} {
		fact, err := events.Decode(rec)
		if errors.Is(err, events.ErrUnknownKind) {
			fmt.Println("skipped:", rec.Kind)
			continue
		}
		if err != nil {
			panic(err)
		}
		fmt.Printf("%T\n", fact)
	}
	// Output:
	// *events.SettingChanged
	// skipped: setting.changed/9
}

// A refusal is an error with a stable code, however it is wrapped.
func ExampleRefuse() {
	err := fmt.Errorf("judge the request: %w", events.Refuse(events.CodeFloor, "version %s is below %s", "1.24.0", "1.25.0"))
	fmt.Println(err)
	fmt.Println(events.CodeOf(err))
	// Output:
	// judge the request: floor: version 1.24.0 is below 1.25.0
	// floor
}
