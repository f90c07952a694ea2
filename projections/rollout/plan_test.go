package rollout_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
	"github.com/jujube-project/jujube/projections/scenario"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "rewrite the scenario files")

func TestScenarios(t *testing.T) {
	scenario.Run(t, "*.txt", *update, func(_ string, log []events.Record) string {
		s := fold(log)
		return describe(rollout.Plan(s, rollout.PolicyOf(s)))
	})
}

func fold(log []events.Record) *projections.State {
	s := projections.New()
	for _, r := range log {
		s.Fold(r)
	}
	return s
}

func describe(r rollout.Result) string {
	var b strings.Builder
	for _, st := range r.Machines {
		fmt.Fprintf(&b, "%-3s %-9s %s\n", st.Machine, st.Action, st.Reason)
	}
	if len(r.Order) > 0 {
		fmt.Fprintf(&b, "order now: %s\n", strings.Join(r.Order, " "))
	}
	for _, h := range r.Halt {
		fmt.Fprintf(&b, "halt: %s: %s\n", h.Code, h.Text)
	}
	if r.Complete {
		b.WriteString("complete\n")
	}
	if b.Len() == 0 {
		return "no upgrade\n"
	}
	return b.String()
}

// Whatever happens to the machines, an upgrade that is driven by Plan orders at most
// one state server at a time, orders no other machine before all of them are done,
// never exceeds its limit, orders nothing after a failure, and ends.
func TestPlanKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		servers := rapid.IntRange(1, 5).Draw(t, "servers")
		total := servers + rapid.IntRange(0, 20).Draw(t, "others")
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		log := scenario.New()
		log.Line("env demo 1.24.0")
		ids := make([]string, total)
		for i := range total {
			ids[i] = fmt.Sprint(i)
			role := ""
			if i < servers {
				role = "server"
			}
			log.Line(fmt.Sprintf("enrol %d 1.24.0 %s", i, role))
		}
		log.Line("ask u1 1.25.0")
		log.Line("accept u1 1.24.0 1.25.0 " + strings.Join(ids, ","))
		open := []string{}
		for range 10 * total {
			s := fold(log.Records)
			r := rollout.Plan(s, rollout.Policy{MaxInFlight: limit})
			if len(r.Machines) != total {
				t.Fatalf("%d steps for %d machines", len(r.Machines), total)
			}
			for _, st := range r.Machines {
				if st.Reason == "" {
					t.Fatalf("machine %s is at %s without a reason", st.Machine, st.Action)
				}
			}
			for _, id := range r.Order {
				log.Line("order " + id + " u1 1.24.0 1.25.0")
				open = append(open, id)
			}
			check(t, fold(log.Records), open, servers, limit, len(r.Halt) > 0, len(r.Order))
			if r.Complete {
				return
			}
			if len(r.Halt) > 0 && len(open) == 0 {
				return
			}
			if len(open) == 0 {
				t.Fatalf("nothing is open and nothing is ordered:\n%s", describe(r))
			}
			i := rapid.IntRange(0, len(open)-1).Draw(t, "next")
			how := rapid.SampledFrom([]string{
				"upgraded %s u1 1.25.0", "upgraded %s u1 1.25.0", "upgraded %s u1 1.25.0",
				"upgraded %s u1 1.25.0", "failed %s u1 no-space", "timeout %s u1", "remove %s",
			}).Draw(t, "how")
			log.Line(fmt.Sprintf(how, open[i]))
			open = append(open[:i], open[i+1:]...)
		}
		t.Fatal("the upgrade does not end")
	})
}

// check fails if what is in flight breaks a promise of the plan.
func check(t *rapid.T, s *projections.State, open []string, servers, limit int, halted bool, ordered int) {
	if halted && ordered > 0 {
		t.Fatal("ordered a machine after a failure")
	}
	if len(open) > limit {
		t.Fatalf("%d are in flight, the limit is %d", len(open), limit)
	}
	openServers, otherOpen := 0, false
	for _, id := range open {
		if m := s.Machines[id]; m != nil && m.StateServer {
			openServers++
		} else {
			otherOpen = true
		}
	}
	if openServers > 1 || openServers == 1 && otherOpen {
		t.Fatalf("in flight are %v, of which %d are state servers (%d in all)", open, openServers, servers)
	}
}

func BenchmarkPlan(b *testing.B) {
	log := scenario.New()
	log.Line("env demo 1.24.0")
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
		log.Line("enrol " + ids[i] + " 1.24.0")
	}
	log.Line("ask u1 1.25.0")
	log.Line("accept u1 1.24.0 1.25.0 " + strings.Join(ids, ","))
	s := fold(log.Records)
	b.ResetTimer()
	for b.Loop() {
		rollout.Plan(s, rollout.Policy{})
	}
}
