package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
)

// verdict is what was done and what was found.
type verdict struct {
	seed      uint64
	took      time.Duration
	kills     map[string]int // by victim
	upgrades  int            // orders after which the machine ran the ordered version
	rolled    int            // orders after which the machine went back to the version before
	failed    int            // orders that failed before the switch, were superseded or timed out
	takenBack int            // versions that were kept first and rolled back later
	resets    int            // upgrades of the environment that were asked for again
	bricks    []string
	restarts  int // of workloads
	lost      []string
	orders    int
	terminals int
	wrong     []string // orders that did not end exactly once
}

func (v *verdict) good() bool {
	return len(v.bricks) == 0 && v.restarts == 0 && len(v.lost) == 0 && len(v.wrong) == 0 && v.orders > 0
}

// String has one line for each number and one for each violation.
func (v *verdict) String() string {
	var b strings.Builder
	line := func(what string, n any) { fmt.Fprintf(&b, "%-24s %v\n", what, n) }
	line("seed", v.seed)
	line("time", v.took.Round(time.Second))
	line("kills", fmt.Sprintf("%d (agents %d, launchers %d)", v.kills["agent"]+v.kills["launcher"], v.kills["agent"], v.kills["launcher"]))
	line("upgrades", v.upgrades)
	line("rolled back", fmt.Sprintf("%d, after they were kept %d", v.rolled, v.takenBack))
	line("failed, timed out", v.failed)
	line("asked again", v.resets)
	line("orders", v.orders)
	line("terminal events", v.terminals)
	line("bricked machines", len(v.bricks))
	line("workload restarts", v.restarts)
	line("lost connections", len(v.lost))
	for _, w := range slices.Concat(v.bricks, v.lost, v.wrong) {
		fmt.Fprintln(&b, "VIOLATION", w)
	}
	return b.String()
}

// ends counts how the orders in a log ended.
type ends struct {
	orders map[string]string // machine, by order
	ends   map[string][]string
	v      *verdict
}

func (e *ends) record(rec events.Record, payload events.Payload) {
	order := ""
	switch p := payload.(type) {
	case *events.OrderIssued:
		e.v.orders++
		e.orders[p.Order] = p.Machine
		return
	case *events.AgentUpgraded:
		e.v.upgrades++
		order = p.OrderID()
	case *events.AgentUpgradeFailed:
		e.v.failed++
		order = p.OrderID()
	case *events.AgentRolledBack:
		if p.Failure.Step == events.StepAfterCommit {
			e.v.takenBack++
			return
		}
		e.v.rolled++
		order = p.OrderID()
	case *events.OrderSuperseded:
		e.v.failed++
		order = p.Order
	case *events.OrderTimedOut:
		e.v.failed++
		order = p.Order
	default:
		return
	}
	if _, upgrade := e.orders[order]; upgrade {
		e.v.terminals++
		e.ends[order] = append(e.ends[order], fmt.Sprintf("%s at %d", rec.Kind, rec.Seq))
	}
}

func (e *ends) judge() {
	for order, machine := range e.orders {
		if n := len(e.ends[order]); n != 1 {
			e.v.wrong = append(e.v.wrong, fmt.Sprintf("order %s of machine %s has %d ends: %s", order, machine, n, strings.Join(e.ends[order], ", ")))
		}
	}
	slices.Sort(e.v.wrong)
}
