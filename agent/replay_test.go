package agent_test

import (
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

// lawfulUntil is order with the end of its request.
func lawfulUntil(o agent.Ordered) agent.Ordered {
	o.Until = now.Add(time.Hour)
	return o
}

// The orders of a request that was done are answered and not done twice: BI-47.
func TestBI47DoneRequestsAreNotDoneAgain(t *testing.T) {
	again := lawfulUntil(order("o2", 6, "1.24.0", "1.25.1", digestA))
	s := running("1.25.1")
	s = play(t, s, lawfulUntil(order("o1", 5, "1.24.0", "1.25.1", digestA)), "[agent.upgraded/1 Save]", // it runs that already
		again, "[agent.upgraded/1 Save]")
	s.Running = bin("1.24.0") // another request brought it back since
	s.Reached = s.Running.Number
	play(t, s, lawfulUntil(order("o3", 7, "1.24.0", "1.25.1", digestA)), "[Save agent.upgrade_failed/1 already-done Save Collect]")

	restart := agent.RestartOrdered{Seq: 5, Order: "r1", Request: "q1", Until: now.Add(time.Hour)}
	s = play(t, running("1.24.0"), restart, "[Save agent.restarting/1 Restart]", agent.Started{}, "[restart.done/1 Save]")
	restart.Seq, restart.Order = 6, "r2"
	play(t, s, restart, "[restart.done/1 Save]")
}

// An order that is withdrawn is dropped at every step before the switch, and goes on after
// it: BI-57.
func TestBI57AWithdrawalRacesTheSwitch(t *testing.T) {
	withdrawn := agent.Withdrawn{Seq: 6, Order: "o1"}
	ordered := order("o1", 5, "1.24.0", "1.25.1", digestA)
	dropped := "[Drop agent.upgrade_failed/1 withdrawn Save Collect]"
	before := []any{
		ordered, "[Save agent.downloading/1 Download]",
		agent.Downloaded{Order: "o1"},
		"[Stage]",
		agent.Staged{Order: "o1"},
		"[Save Judge]",
		agent.Judged{Order: "o1", Before: agent.BeforeTest},
		"[Test]",
		agent.Tested{Order: "o1"},
		"[Judge]",
	}
	for n := 2; n <= len(before); n += 2 {
		play(t, running("1.24.0"), append(before[:n:n], withdrawn, dropped)...)
	}
	late := "[order.refused/1 too-late]"
	s := play(t, running("1.24.0"), append(before[:len(before):len(before)], agent.Judged{Order: "o1", Before: agent.BeforeSwitch},
		"[agent.staged/1 agent.restarting/1 Save Switch]")...)
	if s.Phase != install.PhaseTrial {
		t.Fatalf("the phase is %q", s.Phase)
	}
	s = play(t, s, withdrawn, late, withdrawn, "[]", agent.Switched{Order: "o1"}, "[Restart]")
	s.Running, s.Held = bin("1.25.1"), nil
	play(t, s, agent.Started{}, "[TakeSteps]", withdrawn, late)
	play(t, s, agent.Withdrawn{Seq: 6, Order: "other"}, "[]") // nothing of it is on trial
}

// What the law says against an order is told, and the machine does nothing.
func TestUnlawfulOrdersDoNothing(t *testing.T) {
	why := &events.Failure{Step: "check", Cause: events.CauseOperator, Code: "req-operator", Text: "x"}
	o := order("o1", 5, "1.24.0", "1.25.1", digestA)
	o.Unlawful = why
	play(t, running("1.24.0"), o, "[Save agent.upgrade_failed/1 req-operator Save Collect]", o, "[]")
	play(t, running("1.25.1"), o, "[Save agent.upgrade_failed/1 req-operator Save Collect]")
	play(t, running("1.24.0"), agent.RestartOrdered{Seq: 5, Order: "r1", Unlawful: why}, "[agent.upgrade_failed/1 req-operator Save]")
	s := running("1.24.0")
	s.Denied = map[string]string{digestA: "it failed"}
	s = play(t, s, agent.Resolved{Seq: 5, Unlawful: why}, "[Save order.refused/1 req-operator]")
	if len(s.Denied) != 1 {
		t.Error("it forgot what failed all the same")
	}
}
