package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
)

// A request id is used once: the same request again changes nothing, and another one is refused.
func TestRequestIsWriteOnce(t *testing.T) {
	b := bustest.Start(t)
	b.KeepRequests()
	alice := b.Operator("alice")
	ask := events.Ask{
		ID: "r1", Environment: bustest.Environment, Action: events.ActionSetEnv, Created: time.Unix(1, 0), Expires: time.Unix(2, 0),
		SetEnv: map[string]string{"a": "1"},
	}
	first, err := alice.PublishRequest(t.Context(), alice.Identity(), ask)
	if err != nil {
		t.Fatal(err)
	}
	again, err := alice.PublishRequest(t.Context(), alice.Identity(), ask)
	if err != nil || again != first {
		t.Fatalf("the same request again: sequence %d, %v; want %d", again, err, first)
	}
	ask.SetEnv["a"] = "2"
	if _, err := alice.PublishRequest(t.Context(), alice.Identity(), ask); !errors.Is(err, bus.ErrExists) {
		t.Fatalf("another request under the same id: %v, want ErrExists", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan bus.Request)
	go func() { _ = b.StateServer().Requests(ctx, 1, func(r bus.Request) { got <- r }) }()
	r := <-got
	cancel()
	signed, asked, err := events.ParseSigned(r.Data)
	if err != nil || asked.SetEnv["a"] != "1" || r.ID != "r1" || r.Key != alice.Public() || r.Seq != first {
		t.Fatalf("received %+v with %+v, %v", r, asked, err)
	}
	if err := bus.Verify(signed.Key, events.PAE(events.RequestType, signed.Statement), signed.Signature); err != nil {
		t.Fatal(err)
	}
	signed.Statement[0]++
	if err := bus.Verify(signed.Key, events.PAE(events.RequestType, signed.Statement), signed.Signature); !errors.Is(err, bus.ErrSignature) {
		t.Fatalf("an altered statement verifies: %v", err)
	}
}
