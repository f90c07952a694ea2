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

// befores are the steps before which an order is judged again.
var befores = []string{agent.BeforeDownload, agent.BeforeTest, agent.BeforeSwitch}

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
				agent.Judged{Order: orderOf(s), Before: rapid.SampledFrom(befores).Draw(r, "before"), Failure: failure},
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
