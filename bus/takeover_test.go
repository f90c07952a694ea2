package bus_test

import (
	"context"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events/wire"
)

// A question that comes while nobody leads waits for whoever takes over. A script (B02) that
// asked just after somebody had written into the log failed by that on a busy machine.
func TestAQuestionWaitsForWhoTakesOver(t *testing.T) {
	b := bustest.Start(t)
	alice := b.Operator("alice")
	before := alice.Sent()
	type result struct {
		position wire.Position
		err      error
	}
	answered := make(chan result, 1)
	go func() {
		position, err := wire.Digest.Ask(t.Context(), alice, wire.Nothing{})
		answered <- result{position, err}
	}()
	for alice.Sent() < before+2 { // it was asked twice: nobody answered the first time
		select {
		case r := <-answered:
			t.Fatalf("it did not wait: %v", r.err)
		case <-time.After(time.Millisecond):
		}
	}
	digest := wire.Digest.AnsweredBy(func(context.Context, wire.Nothing) (wire.Position, error) { return wire.Position{Seq: 42}, nil })
	stop, err := b.StateServer().ServeQueries(func(q bus.Query) { q.Answer(digest.Answer(t.Context(), q.Body)) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if r := <-answered; r.err != nil || r.position.Seq != 42 {
		t.Fatalf("answered: %+v", r)
	}
}
