package status

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
)

func makeUpgrade(s *projections.State) *Upgrade {
	u := s.Upgrade
	if u == nil {
		return makePending(s.PendingUpgrade())
	}
	plan := rollout.Plan(s, rollout.PolicyOf(s))
	out := &Upgrade{
		ID: u.ID, Operator: u.Operator, From: number(u.From), Target: number(u.To),
		State: InProgress, Started: stamp(u.Started),
		Blockers: []events.Reason{}, Waiting: []Waiting{},
	}
	if len(u.Halted) > 0 {
		out.State = Halted
	}
	out.Blockers = append(append(out.Blockers, u.Halted...), plan.Halt...)
	out.count(plan)
	for _, binary := range slices.Sorted(maps.Keys(u.Missed)) {
		out.Blockers = append(out.Blockers, events.Reason{
			Code: events.CodeToolsMissed, Text: fmt.Sprintf("tools %s cannot be fetched (will retry): %s; a client can hand them over: juju sync-tools "+
				"--version %d.%d", binary, u.Missed[binary], u.To.Major, u.To.Minor),
		})
	}
	out.LastError = lastError(s, u)
	return out
}

// makePending shows an upgrade that waits for more operators to agree.
func makePending(w *projections.Pending) *Upgrade {
	if w == nil {
		return nil
	}
	return &Upgrade{
		ID: w.Request.ID, Operator: w.Request.Operator, Target: number(w.Upgrade.To), State: PendingApproval, Waiting: []Waiting{},
		Blockers: []events.Reason{{Code: events.CodePendingApproval, Text: fmt.Sprintf("%d of %d operators agree (%s); another one may: %s", len(w.Agreed),
			w.Needed(), strings.Join(w.Agreed, ", "), approve(w))}},
	}
}

// count adds the steps of a plan to the progress, to the blockers and to those that wait.
func (u *Upgrade) count(plan rollout.Result) {
	reasons := map[string]int{} // reason → its place in Waiting
	for _, st := range plan.Machines {
		if st.Action != rollout.Gone {
			u.Progress.Total++
		}
		switch st.Action {
		case rollout.Done:
			u.Progress.Done++
		case rollout.InFlight:
			u.Progress.InFlight++
		case rollout.Failed:
			u.Progress.Failed++
		case rollout.Blocked:
			tag := events.MachineTag(st.Machine)
			u.Blockers = append(u.Blockers, events.Reason{
				Code: events.CodeMachineBlocked, Text: tag + " " + st.Reason, About: []string{tag},
			})
		case rollout.Order, rollout.Wait, rollout.Hold:
			i, ok := reasons[st.Reason]
			if !ok {
				i = len(u.Waiting)
				reasons[st.Reason] = i
				u.Waiting = append(u.Waiting, Waiting{Reason: st.Reason})
			}
			u.Waiting[i].Machines = append(u.Waiting[i].Machines, st.Machine)
		}
	}
}

// lastError is the newest failure of a machine of the upgrade. Of several at the same time it is that of
// the first machine in the upgrade's order.
func lastError(s *projections.State, u *projections.Upgrade) string {
	var last *projections.Failed
	var machine string
	for _, id := range u.Machines {
		m := s.Machines[id]
		if m == nil || m.Failure == nil || m.Failure.To != u.To || m.Failure.Time.Before(u.Started) {
			continue
		}
		if last == nil || m.Failure.Time.After(last.Time) {
			last, machine = m.Failure, id
		}
	}
	if last == nil {
		return ""
	}
	return events.MachineTag(machine) + ": " + failure(last)
}
