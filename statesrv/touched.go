package statesrv

import (
	"errors"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
)

// Codes of refusals of who may ask, and for which machines.
const (
	codeMachinesChanged = "machines-changed" // the client asks again by itself
	codeTooLong         = "req-expired"
)

// touched are the machines that a request is about, in order; a name that is none's is left
// out. Clients sign exactly this list.
func touched(s *projections.State, a events.Ask) []warrant.Machine {
	var ids []string
	switch {
	case a.Action == events.ActionUpgrade:
		ids = aliveMachines(s)
	case a.Action == events.ActionRestart && a.Restart != nil && a.Restart.All:
		ids = aliveMachines(s)
	case a.Action == events.ActionRestart && a.Restart != nil:
		ids, _ = machinesOf(s, a.Restart.Tags)
	case a.Action == events.ActionDeploy && a.Deploy != nil:
		ids = []string{a.Deploy.Machine}
	case a.Action == events.ActionAddUnit && a.AddUnit != nil:
		ids = []string{a.AddUnit.Machine}
	case a.Action == events.ActionResolved:
		ids = []string{a.Resolved}
	case a.Action == events.ActionRemoveMachine:
		ids = []string{a.RemoveMachine}
	case a.Action == events.ActionApproveMachine:
		ids = []string{a.ApproveMachine}
	case a.Action == events.ActionRemoveUnit && s.Units[a.RemoveUnit] != nil:
		ids = []string{s.Units[a.RemoveUnit].Machine}
	case a.Action == events.ActionRemoveService:
		for _, u := range serviceUnits(s, a.RemoveService) {
			ids = append(ids, u.Machine)
		}
	case a.Action == events.ActionAddMachine && a.AddMachine != nil:
		return []warrant.Machine{{ID: "to be added", Labels: a.AddMachine.Labels}}
	}
	return membersOf(s, ids)
}

func membersOf(s *projections.State, ids []string) []warrant.Machine {
	list := make([]warrant.Machine, 0, len(ids))
	for _, id := range ids {
		if m := s.Machines[id]; m != nil {
			list = append(list, warrant.Machine{ID: id, Key: m.Key, Labels: m.Labels})
		}
	}
	return list
}

// mayAsk refuses who may not ask this of all the machines that it is about.
func (q *inquiry) mayAsk() []events.Reason {
	if q.ask.Action == events.ActionApprove {
		return nil // judged with what is agreed to
	}
	return reasonsOf(warrant.May(q.by, q.ask.Action, touched(q.state, q.ask)))
}

// sameMachines refuses a request that was signed for other machines than it is about now,
// or for longer than any may be.
func (q *inquiry) sameMachines() []events.Reason {
	if !events.ActionOf(q.ask.Action).LetsRun {
		return nil
	}
	if q.ask.Until.After(q.ask.Created.Add(events.MaxRequestLife)) || q.ask.Until.Before(q.now) {
		return refuse(codeTooLong, "machines may begin it until %s; that must be within %v of its signature, and not be over", q.ask.Until.UTC().Format(time.RFC3339), events.MaxRequestLife)
	}
	list, err := q.list()
	if err != nil {
		return refuse(codeTooMany, "%v", err)
	}
	if !list.Equal(q.ask.Machines) {
		return refuse(codeMachinesChanged, "it was signed for other machines than it is about now; ask again")
	}
	return nil
}

// list is the machines of the request, once.
func (q *inquiry) list() (*warrant.List, error) {
	if q.machines == nil {
		list, err := warrant.NewList(touched(q.state, q.ask))
		if err != nil {
			return nil, err
		}
		q.machines = list
	}
	return q.machines, nil
}

// warrantFor lets a machine see that this request is for it.
func (q *inquiry) warrantFor(id string) events.Warrant {
	w := events.Warrant{Request: q.req.Signed}
	if list, err := q.list(); err == nil {
		if proven, err := list.Prove(w, id); err == nil {
			return proven
		}
	}
	return w // judged by sameMachines
}

// reasonsOf are the reasons that an error gives: none for nil, and codeMalformed for an error
// that is no refusal.
func reasonsOf(err error) []events.Reason {
	var r *events.Reason
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return []events.Reason{*r}
	}
	return refuse(codeMalformed, "%v", err)
}

// warrants are the lists of the upgrade in progress, which are made once.
type warrants struct {
	upgrade string
	list    *warrant.List
}

// of is a machine's warrant in an upgrade.
func (w *warrants) of(u *projections.Upgrade, id string) (events.Warrant, error) {
	if w.upgrade != u.ID {
		members := make([]warrant.Machine, 0, len(u.Machines))
		for _, id := range sortedNames(u.Machines) {
			members = append(members, warrant.Machine{ID: id, Key: u.Keys[id]})
		}
		list, err := warrant.NewList(members)
		if err != nil {
			return events.Warrant{}, err
		}
		w.upgrade, w.list = u.ID, list
	}
	return w.list.Prove(events.Warrant{Request: u.Signed, Approvals: u.Approvals}, id)
}

// sortedNames is a copy in the order in which touched names machines.
func sortedNames(ids []string) []string {
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, projections.CompareNames)
	return sorted
}
