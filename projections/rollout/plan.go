package rollout

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
)

// Policy says how an upgrade proceeds over the machines.
type Policy struct {
	MaxInFlight int // machines with an open order at once; below 1: DefaultMaxInFlight
}

// DefaultMaxInFlight is the limit if a Policy has none.
const DefaultMaxInFlight = 10

// SettingMaxInFlight is the environment's setting that gives Policy.MaxInFlight.
const SettingMaxInFlight = "upgrade-max-in-flight"

// PolicyOf reads the policy from the environment's settings. A value that is no number counts as not set; the
// state server refuses to set one.
func PolicyOf(s *projections.State) Policy {
	n, _ := strconv.Atoi(s.Settings[SettingMaxInFlight])
	return Policy{MaxInFlight: n}
}

// Result is the plan of the upgrade in progress. It is the zero Result if there is no upgrade.
type Result struct {
	Order    []string        // ids of the machines to order now
	Halt     []events.Reason // why the upgrade must halt now; empty once it is halted
	Complete bool            // every machine of the upgrade is done or was removed
	Machines []Step          // one for each machine of the upgrade, in the upgrade's order
}

// Step is what the plan says about one machine.
type Step struct {
	Machine string // id
	Action  Action
	Reason  string // for a person; never empty
}

// Action is what happens to a machine now.
type Action string

// What a Step can say.
const (
	Done     Action = "done"      // it runs the target and has proved itself
	Gone     Action = "gone"      // it was removed: the upgrade goes on without it
	Order    Action = "order"     // it is ordered now
	InFlight Action = "in-flight" // it has an open order of this upgrade
	Wait     Action = "wait"      // its turn has not come
	Blocked  Action = "blocked"   // it cannot be ordered until something about it changes
	Hold     Action = "hold"      // the upgrade is halted
	Failed   Action = "failed"    // its order failed, was rolled back or timed out
)

// Plan says what the upgrade in progress does next.
func Plan(s *projections.State, p Policy) Result {
	u := s.Upgrade
	if u == nil {
		return Result{}
	}
	r := Result{Complete: true, Machines: make([]Step, 0, len(u.Machines))}
	for _, id := range u.Machines {
		st := look(s, u, id)
		r.Machines = append(r.Machines, st)
		r.Complete = r.Complete && (st.Action == Done || st.Action == Gone)
		if st.Action == Failed {
			r.Halt = append(r.Halt, haltReason(s, id, u.Done[id]))
		}
	}
	if why := s.Marks.Of(u.To).Revoked; why != "" && !r.Complete {
		r.Halt = append(r.Halt, events.Reason{Code: version.CodeRevoked, Text: fmt.Sprintf("version %s was revoked on the way: %s", u.To, why)})
	}
	halted := len(u.Halted) > 0 || len(r.Halt) > 0
	if len(u.Halted) > 0 {
		r.Halt = nil
	}
	if halted {
		r.hold()
		return r
	}
	r.choose(s, p)
	return r
}

// look decides on one machine without regard to the others. Order says that nothing about the machine itself
// forbids an order; choose then makes the machines beyond the limits wait. The order of the cases matters:
// a machine that a former order still keeps busy (Adrift) is never done, whatever version it runs.
func look(s *projections.State, u *projections.Upgrade, id string) Step {
	m := s.Machines[id]
	if m == nil {
		return Step{id, Gone, "was removed"}
	}
	if o := s.Orders[id]; o != nil {
		if o.Upgrade == u.ID {
			return Step{id, InFlight, Progress(o)}
		}
		return Step{id, Blocked, "still has an open " + o.Kind + " order"}
	}
	switch how := u.Done[id]; {
	case how == projections.DoneUpgraded:
		return Step{id, Done, "upgraded to " + u.To.String()}
	case how != "":
		return Step{id, Failed, failure(m, how)}
	case m.Adrift != "" && (m.NoReturn == nil && !m.Unproven || m.Version.Number == u.To):
		return Step{id, Blocked, "is still at order " + m.Adrift + ", which was withdrawn or timed out; its end is awaited"}
	case m.Life == projections.LifeAlive && m.Version.Number == u.To && !m.Unproven:
		return Step{id, Done, "runs " + u.To.String() + " already"}
	case m.Life == projections.LifeQuarantined:
		return Step{id, Blocked, "is shut out: " + m.Quarantine}
	case m.Life == projections.LifePending:
		return Step{id, Blocked, "waits for approval: juju approve-machine " + id}
	case m.Life != projections.LifeAlive:
		return Step{id, Blocked, "has not enrolled yet"}
	case m.Lost:
		return Step{id, Blocked, "is lost: not heard since before " + m.Since.Format("2006-01-02 15:04:05Z")}
	}
	if _, ok := u.Artefacts[m.Version.Platform()]; !ok {
		return Step{id, Blocked, "no archive for " + m.Version.Platform() + " was named by the request"}
	}
	return Step{id, Order, "is next"}
}

// choose picks whom to order now among the machines that may be ordered. While a state server is not done, it
// alone is ordered; of several, the one that is in flight, or else the first. After them the other machines
// are ordered, up to the limit.
func (r *Result) choose(s *projections.State, p Policy) {
	limit := p.MaxInFlight
	if limit < 1 {
		limit = DefaultMaxInFlight
	}
	open, first := 0, ""
	for _, st := range r.Machines {
		if st.Action == InFlight {
			open++
		}
		if m := s.Machines[st.Machine]; m != nil && m.StateServer && st.Action != Done && first == "" {
			first = st.Machine
		}
	}
	if i := slices.IndexFunc(r.Machines, func(st Step) bool {
		m := s.Machines[st.Machine]
		return st.Action == InFlight && m != nil && m.StateServer
	}); i >= 0 {
		first = r.Machines[i].Machine // this one is in flight, so no other state server may begin
	}
	for i := range r.Machines {
		st := &r.Machines[i]
		switch {
		case st.Action != Order:
		case first != "" && st.Machine != first:
			st.Action, st.Reason = Wait, "waits for state server machine-"+first
		case open >= limit:
			st.Action, st.Reason = Wait, fmt.Sprintf("waits for its turn: %d of at most %d are in flight", open, limit)
		default:
			open++
			r.Order = append(r.Order, st.Machine)
		}
	}
}

// hold makes every machine that was not ordered yet wait for an operator: the upgrade is halted.
func (r *Result) hold() {
	for i := range r.Machines {
		if st := &r.Machines[i]; st.Action == Order || st.Action == Blocked {
			st.Action, st.Reason = Hold, "the upgrade is halted"
		}
	}
}

// Sequence gives the ids of all enrolled machines in the order in which an upgrade takes them: state
// servers first, then the others, both by number.
func Sequence(s *projections.State) []string {
	ids := make([]string, 0, len(s.Machines))
	for id, m := range s.Machines {
		if m.Life == projections.LifeAlive {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b string) int {
		if x, y := s.Machines[a].StateServer, s.Machines[b].StateServer; x != y {
			if x {
				return -1
			}
			return 1
		}
		return projections.CompareNames(a, b)
	})
	return ids
}
