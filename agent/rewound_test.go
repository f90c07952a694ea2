package agent

import (
	"slices"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
)

// The state server was put back to an old copy of its log. What it orders next lies before what the
// machine has followed: the machine does none of it, and says so, once, instead of being silent.
func TestB15OrdersOfALogThatWentBackAreRefusedByName(t *testing.T) {
	a := testAgent(t, &fakeBus{})
	hear := func(seq uint64, p events.Payload) {
		t.Helper()
		a.hear(t.Context(), lawOf3(), said(t, seq, p, "state server"))
		for len(a.inputs) > 0 {
			if err := a.step(t.Context(), <-a.inputs); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := func(wanted ...string) {
		t.Helper()
		told := []string{}
		for _, p := range waiting(t, a) {
			switch p := p.(type) {
			case *events.OrderRefused:
				told = append(told, p.Record+" "+p.Order+" "+p.Code)
			case *events.AgentUpgradeFailed:
				told = append(told, "failed "+p.Order+" "+p.Failure.Code)
			}
		}
		if !slices.Equal(told, wanted) {
			t.Errorf("it told %q, want %q", told, wanted)
		}
	}
	hear(480, &events.OrderSuperseded{Order: "o0", Machine: "3", Reason: "x"})
	hear(480, &events.OrderSuperseded{Order: "o0", Machine: "3", Reason: "x"}) // read again at a reconnection
	want()

	first := "restart.ordered/1 o1 " + tree.CodeFork
	hear(301, restart(t, "alice", "3", "3"))
	want(first, "failed o1 "+tree.CodeFork)
	hear(301, restart(t, "alice", "3", "3"))
	want(first, "failed o1 "+tree.CodeFork)
	hear(302, &events.OrderSuperseded{Order: "o1", Machine: "3", Reason: "x"})
	want(first, "failed o1 "+tree.CodeFork, "order.superseded/1  "+tree.CodeFork)
	if a.state.Seq != 480 || a.state.Restart != "" {
		t.Errorf("it stands at %d and restarts for %q", a.state.Seq, a.state.Restart)
	}
}
