package agent_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
)

// everyState calls f with every combination of what a state can be.
func everyState(f func(agent.State)) {
	old, newer := bin("1.24.0"), bin("1.25.1")
	for _, phase := range []string{
		install.PhaseIdle, install.PhaseAccepted, install.PhaseStaged, install.PhaseTrial, install.PhaseCommitted, install.PhaseFailed, install.PhaseRolledBack,
	} {
		for bits := range 1 << 9 {
			has := func(n int) bool { return bits&(1<<n) != 0 }
			s := agent.State{Machine: "3", Running: old, PID: 7, Reached: old.Number, Journal: install.Journal{
				Phase: phase, Good: old.String(), Last: bin("1.23.0").String(), Seq: 10,
			}}
			if has(0) {
				s.Order = &install.Order{ID: "o1", From: old.Number, Tools: tools.Tools{Version: newer, Size: 1, SHA256: digestA}}
			}
			if has(1) {
				s.Running = newer
			}
			if has(2) {
				s.Restart = "r1"
			}
			if has(3) {
				s.Denied = map[string]string{digestA: "it crashed"}
			}
			if has(4) {
				s.Reached = newer.Number
			}
			if has(5) {
				s.Begun = newer.Number
			}
			if phase == install.PhaseTrial {
				s.Trial = &install.Trial{Attempts: 1}
			}
			if has(6) && (phase == install.PhaseIdle || phase == install.PhaseAccepted) {
				s.Unproven = "burn the bridge"
			} else if has(6) {
				if phase != install.PhaseTrial {
					continue
				}
				s.NoReturn = "burn the bridge"
			}
			if has(8) {
				if phase != install.PhaseTrial || s.NoReturn != "" {
					continue
				}
				s.Closing = &agent.Stepped{Order: "o1", Release: bin("1.25.0").Number, Closes: "burn the bridge"}
			}
			if has(7) {
				if phase == install.PhaseIdle || phase == install.PhaseAccepted || phase == install.PhaseStaged {
					continue
				}
				s.Held = order("o9", 12, "1.25.1", "1.25.2", digestB)
			}
			f(s)
		}
	}
}

// everyInput is what can happen to a state: of every kind, for the order in work and for
// another, well and badly ended, new and old.
func everyInput(s agent.State) []agent.Input {
	inputs := []agent.Input{agent.Started{}}
	for _, seq := range []uint64{9, 10, 13} {
		inputs = append(inputs, agent.Withdrawn{Seq: seq}, agent.Resolved{Seq: seq}, agent.RestartOrdered{Seq: seq, Order: "r2"})
		for _, change := range []func(*agent.Ordered){
			func(*agent.Ordered) {},
			func(o *agent.Ordered) { o.Now = now.Add(2 * time.Hour) },
			func(o *agent.Ordered) { o.Order.Machine = "4" },
			func(o *agent.Ordered) { o.Order.From = bin("1.20.0").Number },
			func(o *agent.Ordered) { o.Order.From = bin("1.25.1").Number },
			func(o *agent.Ordered) { o.Order.Tools.Version = bin("1.24.0") },
			func(o *agent.Ordered) { o.Order.Tools.Version.Arch = "arm64" },
			func(o *agent.Ordered) { o.Order.Resolved = true },
		} {
			o := order("o2", seq, "1.24.0", "1.25.1", digestA)
			change(&o)
			inputs = append(inputs, o)
		}
	}
	for _, id := range []string{"o1", "o7", ""} {
		inputs = append(inputs, agent.Proved{Order: id}, agent.Stepped{Order: id}, agent.Stepped{Order: id, Release: bin("1.25.0").Number, Closes: "burn the bridge"})
		for _, cause := range []string{"", events.CauseVersion, events.CauseEnvironment} {
			var f *events.Failure
			if cause != "" {
				f = &events.Failure{Step: "x", Cause: cause, Code: "bad", Text: "x"}
			}
			for _, before := range befores {
				inputs = append(inputs, agent.Judged{Order: id, Before: before, Failure: f})
			}
			inputs = append(inputs,
				agent.Downloaded{Order: id, Failure: f}, agent.Staged{Order: id, Failure: f}, agent.Tested{Order: id, Failure: f},
				agent.Switched{Order: id, Failure: f}, agent.Undone{Order: id, To: bin("1.24.0").Number, Failure: f})
		}
	}
	for _, id := range []string{"o1", "r1", "o2", ""} {
		f := events.Failure{Step: "check", Cause: events.CauseOperator, Code: "log-fork", Text: "x"}
		inputs = append(inputs, agent.WentBack{Record: "order.issued/1", Order: id, Failure: f})
	}
	for _, phase := range []string{install.PhaseCommitted, install.PhaseRolledBack, install.PhaseTrial} {
		j := s.Journal
		j.Phase = phase
		inputs = append(inputs, agent.Committed{Journal: j})
	}
	return inputs
}

// In every state, whatever comes: what must hold holds.
func TestEveryStateMeetsEveryInput(t *testing.T) {
	cases := 0
	everyState(func(s agent.State) {
		for _, in := range everyInput(s) {
			cases++
			before := text(t, s)
			next, effects := agent.Step(s, in)
			again, same := agent.Step(s, in)
			if !reflect.DeepEqual(next, again) || !reflect.DeepEqual(effects, same) || text(t, s) != before {
				t.Fatalf("%+v\n%#v: Step is not a function of its arguments alone", s, in)
			}
			for _, wrong := range []string{
				terminals(s, in, effects), journalFirst(s, next, effects), keeps(next, effects), trialIsTheLaunchers(s, in, effects), staysPut(s, in, next, effects),
			} {
				if wrong != "" {
					t.Fatalf("%+v\n%#v\n→ %v\n%+v\n%s", s, in, names(effects), next, wrong)
				}
			}
		}
	})
	t.Logf("%d pairs of a state and an input", cases)
}

// text is all of a state, with what its pointers point to.
func text(t *testing.T, s agent.State) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// terminals: no order is ended twice, and only one that is in work, or just came, ends.
func terminals(s agent.State, in agent.Input, effects []agent.Effect) string {
	known := []string{orderOf(s), s.Restart}
	for _, i := range []agent.Input{in, s.Held} {
		if o, ok := i.(agent.Ordered); ok {
			known = append(known, o.Order.Order)
		}
	}
	if back, ok := in.(agent.WentBack); ok {
		if back.Order == orderOf(s) || back.Order == s.Restart {
			known = nil // it ends itself
		} else {
			known = append(known, back.Order)
		}
	}
	ended := map[string]bool{}
	for _, e := range effects {
		tell, ok := e.(agent.Tell)
		if !ok || !terminal(tell.Report) && tell.Report.Kind() != "restart.done/1" {
			continue
		}
		id := tell.Report.(events.OrderReport).OrderID()
		if ended[id] || id == "" || !slices.Contains(known, id) {
			return "it ends order " + id
		}
		ended[id] = true
	}
	return ""
}

// journalFirst: what is done is in the journal before, and an end is told before the
// journal forgets the order.
func journalFirst(s, next agent.State, effects []agent.Effect) string {
	saved, acted := s.Journal, false
	for _, e := range effects {
		switch e := e.(type) {
		case agent.Save:
			if acted {
				return "it acts before the journal is written"
			}
			saved = e.Journal
		case agent.Tell:
			if r, ok := e.Report.(events.OrderReport); ok && terminal(e.Report) && saved.Order == nil && s.Order != nil && r.OrderID() == s.Order.ID {
				return "the journal forgets the order before its end is told"
			}
		case agent.Drop, agent.Collect:
		default:
			acted = true
		}
	}
	if !reflect.DeepEqual(saved, next.Journal) {
		return fmt.Sprintf("the journal on disk is %+v", saved)
	}
	return ""
}

// keeps: nothing that runs, ran well, or is about to run may be removed or overwritten.
func keeps(next agent.State, effects []agent.Effect) string {
	if next.Good == "" {
		return "the good version is forgotten"
	}
	for i, e := range effects {
		needed := []string{next.Running.String(), next.Good, next.Last}
		switch e := e.(type) {
		case agent.Collect:
			if i == len(effects)-1 && next.Order != nil {
				needed = append(needed, next.Order.Tools.Version.String())
			}
			if gone := missing(needed, e.Keep); gone != "" {
				return "garbage collection removes " + gone
			}
		case agent.Stage:
			if gone := missing(needed, e.InUse); gone != "" {
				return "staging may overwrite " + gone
			}
		case agent.Switch:
			if next.Phase != install.PhaseTrial {
				return "it switches without a trial"
			}
		case agent.Vouch:
			if next.Running != next.Order.Tools.Version || next.Phase != install.PhaseTrial || next.Closing != nil {
				return "it vouches for what is not on trial, or not done"
			}
		case agent.Prove:
			if next.Running != next.Order.Tools.Version || next.Phase != install.PhaseTrial {
				return "it proves what is not on trial"
			}
		}
	}
	return ""
}

func missing(needed, kept []string) string {
	for _, n := range needed {
		if n != "" && !slices.Contains(kept, n) {
			return n
		}
	}
	return ""
}

// trialIsTheLaunchers: with a way back, nothing but the step that closes it, a switch that
// failed, a restart that is over or the launcher's own word writes the journal of a trial.
func trialIsTheLaunchers(s agent.State, in agent.Input, effects []agent.Effect) string {
	if s.Phase != install.PhaseTrial || s.NoReturn != "" || s.Order == nil {
		return ""
	}
	switch in.(type) {
	case agent.Committed, agent.Switched:
		return ""
	case agent.Proved:
		if s.Closing != nil {
			return ""
		}
	case agent.Started:
		if s.Restart != "" {
			return ""
		}
	}
	if slices.ContainsFunc(effects, func(e agent.Effect) bool { _, save := e.(agent.Save); return save }) {
		return "the agent writes the launcher's journal"
	}
	return ""
}

// staysPut: what is old, or about another order, changes nothing; and no order that was
// looked at is looked at again.
func staysPut(s agent.State, in agent.Input, next agent.State, effects []agent.Effect) string {
	if next.Seq < s.Seq {
		return "it goes back to older orders"
	}
	old, other := false, false
	switch in := in.(type) {
	case agent.Ordered:
		old = in.Seq <= s.Seq
	case agent.Withdrawn:
		old = in.Seq <= s.Seq
	case agent.Resolved:
		old = in.Seq <= s.Seq
	case agent.RestartOrdered:
		old = in.Seq <= s.Seq
	case agent.Judged:
		other = in.Order != orderOf(s)
	case agent.Downloaded:
		other = in.Order != orderOf(s)
	case agent.Staged:
		other = in.Order != orderOf(s)
	case agent.Tested:
		other = in.Order != orderOf(s)
	case agent.Switched:
		other = in.Order != orderOf(s)
	case agent.Undone:
		other = in.Order != orderOf(s)
	}
	if (old || other) && (len(effects) > 0 || !reflect.DeepEqual(s, next)) {
		return "what is old, or of another order, has an effect"
	}
	return ""
}
