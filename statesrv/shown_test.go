package statesrv_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// A reader floods the state server with expensive questions, while the log grows. Another one is answered, and
// what he is shown is no older than his question.
func TestB17ExpensiveQuestionsKeepNobodyWaiting(t *testing.T) {
	p := newPlace(t)
	bob := p.bus.Operator("bob")
	p.start()
	ctx, stop := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	for _, question := range []string{"digest", "status", "log-leaves", "resolve"} {
		for range 25 {
			flood.Go(func() {
				for ctx.Err() == nil {
					_, _ = bob.Ask(ctx, question, nil)
				}
			})
		}
	}
	for n := range 10 {
		p.ask(events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"agent-lost-after": []string{"31s", "32s"}[n%2]}})
		last, err := p.log.Last(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		asked := time.Now()
		var shown wire.Position
		if p.query("digest", nil, &shown); shown.Seq < last {
			t.Fatalf("the log ended at %d, shown is %d", last, shown.Seq)
		}
		if took := time.Since(asked); took > 5*time.Second { // a second on a host that is not busy
			t.Errorf("an honest question took %v", took)
		}
	}
	stop()
	flood.Wait()
	p.state()
}
