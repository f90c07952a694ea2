package agent_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

func bin(v string) version.Binary {
	n, err := version.Parse(v)
	if err != nil {
		panic(err)
	}
	return version.Binary{Number: n, Series: "trusty", Arch: "amd64"}
}

const (
	digestA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	digestB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

var now = time.Unix(1_700_000_000, 0)

func order(id string, seq uint64, from, to, digest string) agent.Ordered {
	return agent.Ordered{Seq: seq, Now: now, Order: events.OrderIssued{
		Order: id, Upgrade: "up", Machine: "3", From: bin(from).Number, Expires: now.Add(time.Hour), Health: 100,
		Tools: tools.Tools{Version: bin(to), Size: 10, SHA256: digest},
	}}
}

func running(v string) agent.State {
	return agent.State{Machine: "3", Running: bin(v), Reached: bin(v).Number, Journal: install.Journal{Good: bin(v).String()}, PID: 7}
}

// names are the effects in a word each; a report shows its kind, a failure its code.
func names(effects []agent.Effect) (list []string) {
	for _, e := range effects {
		switch e := e.(type) {
		case agent.Tell:
			name := e.Report.Kind()
			if s, ok := e.Report.(*events.AgentStepping); ok && s.NoReturn {
				name += " no return"
			}
			switch r := e.Report.(type) {
			case *events.AgentUpgradeFailed:
				name += " " + r.Failure.Code
			case *events.AgentRolledBack:
				name += " " + r.Failure.Code
			case *events.OrderRefused:
				name += " " + r.Code
			}
			list = append(list, name)
		default:
			list = append(list, reflect.TypeOf(e).Name())
		}
	}
	return list
}

// play steps through inputs and checks the effects of each.
func play(t *testing.T, s agent.State, script ...any) agent.State {
	t.Helper()
	for i := 0; i < len(script); i += 2 {
		var effects []agent.Effect
		s, effects = agent.Step(s, script[i].(agent.Input))
		if got, want := fmt.Sprint(names(effects)), fmt.Sprint(script[i+1]); got != want {
			t.Fatalf("%T:\n got %s\nwant %s", script[i], got, want)
		}
	}
	return s
}

func TestAnUpgradeThatGoesWell(t *testing.T) {
	s := play(t, running("1.24.0"),
		agent.Started{}, "[]",
		order("o1", 5, "1.24.0", "1.25.1", digestA), "[Save agent.downloading/1 Download]",
		order("o1", 5, "1.24.0", "1.25.1", digestA), "[]",
		agent.Downloaded{Order: "o1"}, "[Stage]",
		agent.Staged{Order: "o1"}, "[Save Test]",
		agent.Tested{Order: "o1"}, "[agent.staged/1 agent.restarting/1 Save Switch]",
		agent.Switched{Order: "o1"}, "[Restart]",
	)
	s.Running = bin("1.25.1")
	s = play(t, s, agent.Started{}, "[TakeSteps]", order("o1", 5, "1.24.0", "1.25.1", digestA), "[]",
		agent.Stepped{Order: "o1"}, "[Prove]", agent.Proved{Order: "other"}, "[]", agent.Proved{Order: "o1"}, "[Vouch]")
	j := s.Journal
	j.Phase, j.Trial, j.Good, j.Last = install.PhaseCommitted, nil, bin("1.25.1").String(), bin("1.24.0").String()
	s = play(t, s, agent.Committed{Journal: j}, "[agent.upgraded/1 Save Collect]", agent.Committed{Journal: j}, "[Save]")
	if s.Phase != install.PhaseIdle || s.Order != nil || s.Good != bin("1.25.1").String() {
		t.Fatalf("after the end it is %+v", s.Journal)
	}
}

func TestARollBackIsReportedByTheOldVersion(t *testing.T) {
	s := running("1.24.0")
	s.Phase, s.Order = install.PhaseRolledBack, &install.Order{ID: "o1", Tools: tools.Tools{Version: bin("1.25.2"), SHA256: digestA}}
	s.Failure = &events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "crashed", Text: "x"}
	s.Denied = map[string]string{digestA: "x"}
	s.Seq = 5
	play(t, s,
		agent.Started{}, "[agent.rolled_back/1 crashed Save Collect]",
		agent.Started{}, "[]",
		order("o2", 6, "1.24.0", "1.25.2", digestA), "[Save agent.upgrade_failed/1 failed-before Save Collect]",
		order("o3", 7, "1.24.0", "1.25.2", digestB), "[Save agent.downloading/1 Download]",
	)
}

func TestOrdersThatDoNotFit(t *testing.T) {
	other := order("o1", 5, "1.24.0", "1.25.1", digestA)
	other.Order.Machine = "4"
	expired := order("o1", 5, "1.24.0", "1.25.1", digestA)
	expired.Now = now.Add(2 * time.Hour)
	arm := order("o1", 5, "1.24.0", "1.25.1", digestA)
	arm.Order.Tools.Version.Arch = "arm64"
	for name, c := range map[string]struct {
		in   agent.Ordered
		want string
	}{
		"expired":              {expired, "[Save agent.upgrade_failed/1 expired Save Collect]"},
		"for another machine":  {other, "[Save agent.upgrade_failed/1 not-for-me Save Collect]"},
		"from another version": {order("o1", 5, "1.23.0", "1.25.1", digestA), "[Save agent.upgrade_failed/1 wrong-version Save Collect]"},
		"for another platform": {arm, "[Save agent.upgrade_failed/1 wrong-platform Save Collect]"},
		"to what runs":         {order("o1", 5, "1.23.0", "1.24.0", digestA), "[agent.upgraded/1 Save]"},
	} {
		t.Run(name, func(t *testing.T) { play(t, running("1.24.0"), c.in, c.want, c.in, "[]") })
	}
}

func TestEveryStepCanFailAndBeTakenUpAgain(t *testing.T) {
	bad := &events.Failure{Step: "x", Cause: events.CauseEnvironment, Code: "bad", Text: "x"}
	ok := order("o1", 5, "1.24.0", "1.25.1", digestA)
	play(t, running("1.24.0"), ok, "[Save agent.downloading/1 Download]",
		agent.Started{}, "[Download]", // a crash: the next process goes on
		agent.Downloaded{Order: "other"}, "[]",
		agent.Downloaded{Order: "o1", Failure: bad}, "[Save agent.upgrade_failed/1 bad Save Collect]")
	play(t, running("1.24.0"), ok, "[Save agent.downloading/1 Download]", agent.Downloaded{Order: "o1"}, "[Stage]",
		agent.Staged{Order: "o1"}, "[Save Test]", agent.Started{}, "[Test]",
		agent.Tested{Order: "o1", Failure: bad}, "[Save agent.upgrade_failed/1 bad Save Collect]")
	play(t, running("1.24.0"), ok, "[Save agent.downloading/1 Download]", agent.Downloaded{Order: "o1"}, "[Stage]",
		agent.Staged{Order: "o1"}, "[Save Test]", agent.Tested{Order: "o1"}, "[agent.staged/1 agent.restarting/1 Save Switch]",
		agent.Switched{Order: "o1", Failure: bad}, "[Save agent.upgrade_failed/1 bad Save Collect]")
	play(t, running("1.24.0"), ok, "[Save agent.downloading/1 Download]", agent.Withdrawn{Seq: 6}, "[Drop agent.upgrade_failed/1 withdrawn Save Collect]",
		agent.Downloaded{Order: "o1"}, "[]")
}

// The agent is cut off between the journal and the report: it does not take up again what
// had failed.
func TestAFailureIsNotedBeforeItIsTold(t *testing.T) {
	s := running("1.24.0")
	s.Phase, s.Order = install.PhaseFailed, &install.Order{ID: "o1", Tools: tools.Tools{Version: bin("1.25.1"), SHA256: digestA}}
	s.Failure = &events.Failure{Step: "stage", Cause: events.CauseEnvironment, Code: "no-space", Text: "x"}
	play(t, s, agent.Started{}, "[agent.upgrade_failed/1 no-space Save Collect]", agent.Started{}, "[]")
}

func TestRestartsAreDoneOnce(t *testing.T) {
	s := play(t, running("1.24.0"), agent.RestartOrdered{Seq: 5, Order: "r1"}, "[Save agent.restarting/1 Restart]", agent.RestartOrdered{Seq: 5, Order: "r1"}, "[]")
	play(t, s, agent.Started{}, "[restart.done/1 Save]", agent.Started{}, "[]")
}

// An order that was withdrawn while the machine was away is behind the restart that it sees.
func TestARestartEndsWhatIsNotWantedAnyMore(t *testing.T) {
	s := play(t, running("1.24.0"),
		order("o1", 5, "1.24.0", "1.25.1", digestA), "[Save agent.downloading/1 Download]",
		agent.RestartOrdered{Seq: 9, Order: "r1"}, "[Drop agent.upgrade_failed/1 withdrawn Save agent.restarting/1 Restart]",
	)
	play(t, s, agent.Started{}, "[restart.done/1 Save]")
}

func TestWhatIsOrderedDuringATrialIsDoneAfterIt(t *testing.T) {
	s := onTrial("o1", 5)
	s = play(t, s,
		agent.Started{}, "[TakeSteps]",
		order("o2", 7, "1.25.1", "1.25.2", digestB), "[]",
		agent.RestartOrdered{Seq: 8, Order: "r1"}, "[]",
		agent.Stepped{Order: "o1"}, "[Prove]",
	)
	play(t, s, agent.Committed{Journal: judgedBy(s, nil)}, "[agent.upgraded/1 Save Collect Save agent.restarting/1 Restart]")
}

// onTrial is 1.25.1 on trial for an order.
func onTrial(id string, seq uint64) agent.State {
	s := running("1.24.0")
	s.Seq, s.Phase, s.Trial = seq, install.PhaseTrial, &install.Trial{Attempts: 1}
	s.Order = &install.Order{ID: id, From: bin("1.24.0").Number, Tools: tools.Tools{Version: bin("1.25.1"), SHA256: digestA}}
	s.Running = bin("1.25.1")
	return s
}

func TestAStepThatCannotBeUndoneClosesTheWayBack(t *testing.T) {
	s := play(t, onTrial("o1", 5),
		agent.Started{}, "[TakeSteps]",
		agent.Stepped{Order: "o1", Release: bin("1.25.0").Number, Closes: "burn the bridge"}, "[Prove]", // as far as it is
		agent.Proved{Order: "o1"}, "[Save agent.stepping/1 no return TakeSteps]",
		agent.Stepped{Order: "o1"}, "[Prove]", agent.Proved{Order: "o1"}, "[Vouch]", // but the launcher does not answer
	)
	if s.NoReturn != "burn the bridge" {
		t.Fatalf("the journal says %q", s.NoReturn)
	}
	// The trial never ends; another order comes to the rescue, and the way back then leads
	// to the version that took the step.
	s = play(t, s, agent.Started{}, "[TakeSteps]", agent.Withdrawn{Seq: 6}, "[]",
		order("o2", 7, "1.24.0", "1.25.2", digestB), "[agent.upgrade_failed/1 wrong-version Save]",
		order("o3", 8, "1.25.1", "1.25.2", digestB), "[Drop agent.upgrade_failed/1 withdrawn Save agent.downloading/1 Download]",
	)
	if s.Good != bin("1.25.1").String() || s.NoReturn != "" || s.Order.ID != "o3" {
		t.Fatalf("the journal is %+v", s.Journal)
	}
	// The rescue fails; the version that was never proved is asked for again, and proves
	// itself where it is.
	play(t, s, agent.Withdrawn{Seq: 9}, "[Drop agent.upgrade_failed/1 withdrawn Save Collect]",
		order("o4", 10, "1.25.1", "1.25.1", digestA), "[Save agent.downloading/1 Restart]",
		agent.Started{}, "[TakeSteps]", agent.Stepped{Order: "o4"}, "[Prove]", agent.Proved{Order: "o4"}, "[Vouch]")
	// The launcher's word on the old trial crosses with it: the new order stays.
	play(t, s, agent.Committed{Journal: judgedBy(onTrial("o1", 5), nil)}, "[Save]", agent.Downloaded{Order: "o3"}, "[Stage]")
}

func TestStepsAreUndoneOnTheWayBack(t *testing.T) {
	s := running("1.24.0")
	s.Phase, s.Order = install.PhaseRolledBack, &install.Order{ID: "o1", Tools: tools.Tools{Version: bin("1.25.1"), SHA256: digestA}}
	s.Begun = bin("1.25.1").Number
	bad := &events.Failure{Step: "steps", Cause: events.CauseVersion, Code: "not-undone", Text: "stuck"}
	play(t, s, agent.Started{}, "[Undo]", agent.Undone{Order: "other"}, "[]",
		agent.Undone{Order: "o1", To: bin("1.24.0").Number}, "[agent.rolled_back/1 unknown Save Collect]")
	play(t, s, agent.Started{}, "[Undo]", agent.Undone{Order: "o1", Failure: bad}, "[agent.rolled_back/1 unknown Save Collect]")

	down := running("1.25.2")
	script := []any{
		order("o1", 5, "1.25.2", "1.25.1", digestA), "[Save agent.downloading/1 Download]",
		agent.Downloaded{Order: "o1"},
		"[Stage]",
		agent.Staged{Order: "o1"},
		"[Save Test]",
		agent.Tested{Order: "o1"},
		"[Undo]",
	}
	play(t, down, append(script, agent.Undone{Order: "o1", To: bin("1.25.1").Number}, "[agent.staged/1 agent.restarting/1 Save Switch]")...)
	play(t, down, append(script, agent.Undone{Order: "o1", Failure: bad}, "[Save agent.upgrade_failed/1 not-undone Save Collect]")...)
}

func TestOnlyAVersionsOwnFaultIsRemembered(t *testing.T) {
	for cause, remembered := range map[string]bool{
		events.CauseVersion: true, events.CauseEnvironment: false, events.CauseArtifact: false, events.CauseOperator: false,
	} {
		s := play(t, running("1.24.0"), order("o1", 5, "1.24.0", "1.25.1", digestA), "[Save agent.downloading/1 Download]",
			agent.Downloaded{Order: "o1", Failure: &events.Failure{Step: "x", Cause: cause, Code: "bad", Text: "x"}}, "[Save agent.upgrade_failed/1 bad Save Collect]")
		again := "[Save agent.downloading/1 Download]"
		if remembered {
			again = "[Save agent.upgrade_failed/1 failed-before Save Collect]"
		}
		play(t, s, order("o2", 6, "1.24.0", "1.25.1", digestA), again)
		// An operator clears it, by a word of its own or with the next order.
		play(t, s, agent.Resolved{Seq: 7}, "[Save Collect]", order("o3", 8, "1.24.0", "1.25.1", digestA), "[Save agent.downloading/1 Download]")
		cleared := order("o3", 8, "1.24.0", "1.25.1", digestA)
		cleared.Order.Resolved = true
		play(t, s, cleared, "[Save agent.downloading/1 Download]")
	}
}

// Whatever happens in whatever order: no panic, the version on disk that last proved
// itself is never forgotten, and an order that was taken up is ended at most once.
func TestAnyInputsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		s := running("1.24.0")
		ended := map[string]int{}
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			id := fmt.Sprintf("o%d", rapid.IntRange(1, 3).Draw(r, "order"))
			seq := uint64(rapid.IntRange(1, 20).Draw(r, "seq"))
			var failure *events.Failure
			if rapid.Bool().Draw(r, "fails") {
				failure = &events.Failure{Step: "x", Cause: events.CauseVersion, Code: "bad", Text: "x"}
			}
			in := rapid.SampledFrom([]agent.Input{
				agent.Started{},
				order(fmt.Sprintf("o%d-%d", seq, len(ended)), seq, "1.24.0", "1.25.1", digestA),
				agent.Withdrawn{Seq: seq},
				agent.Resolved{Seq: seq},
				agent.Stepped{Order: orderOf(s)},
				agent.Stepped{Order: orderOf(s), Release: bin("1.25.0").Number, Closes: "burn the bridge"},
				agent.Proved{Order: orderOf(s)},
				agent.Undone{Order: orderOf(s), To: bin("1.24.0").Number, Failure: failure},
				agent.RestartOrdered{Seq: seq, Order: id},
				agent.Downloaded{Order: orderOf(s), Failure: failure},
				agent.Staged{Order: orderOf(s), Failure: failure},
				agent.Tested{Order: orderOf(s), Failure: failure},
				agent.Switched{Order: orderOf(s), Failure: failure},
				agent.Downloaded{Order: id},
				agent.Committed{Journal: judgedBy(s, failure)},
			}).Draw(r, "input")
			var effects []agent.Effect
			s, effects = agent.Step(s, in)
			for _, e := range effects {
				if tell, ok := e.(agent.Tell); ok && terminal(tell.Report) {
					id := tell.Report.(events.OrderReport).OrderID()
					if ended[id]++; ended[id] > 1 {
						r.Fatalf("order %s ended twice", id)
					}
				}
			}
			if s.Good == "" {
				r.Fatalf("the good version was forgotten after %T", in)
			}
		}
	})
}

func orderOf(s agent.State) string {
	if s.Order == nil {
		return ""
	}
	return s.Order.ID
}

// judgedBy is the journal as a launcher would leave it.
func judgedBy(s agent.State, failure *events.Failure) install.Journal {
	j := s.Journal
	if j.Phase != install.PhaseTrial {
		return j
	}
	j.Phase, j.Trial = install.PhaseCommitted, nil
	if failure != nil {
		j.Phase, j.Failure = install.PhaseRolledBack, failure
	}
	return j
}

func terminal(r events.Report) bool {
	switch r.(type) {
	case *events.AgentUpgraded, *events.AgentUpgradeFailed, *events.AgentRolledBack:
		return true
	}
	return false
}

// A process may die between noting that there is no way back and telling it: every start
// says it again.
func TestEveryStartSaysThatThereIsNoWayBack(t *testing.T) {
	s := running("1.24.0")
	if r := s.Start(); r.Order != "" || r.NoReturn != "" {
		t.Fatalf("an idle machine starts with %+v", r)
	}
	s.Order, s.NoReturn = &install.Order{ID: "o1"}, "burn the bridge"
	if r := s.Start(); r.Order != "o1" || r.NoReturn != "burn the bridge" || r.Version != s.Running {
		t.Fatalf("on trial it starts with %+v", r)
	}
}
