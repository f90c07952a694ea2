// Package targets says which machines an operator's request is about, from the state. The
// client signs that list, the state server judges the request by it, and both ask here, so
// that they agree. It is pure.
//
//	r := targets.Resolve(state, ask)
//	list, err := warrant.NewList(r.Machines)
package targets

import (
	"maps"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// touches names the machines that a request of an action is about.
type touches func(s *projections.State, a events.Ask) []warrant.Machine

// byAction is everything that an operator can ask for.
var byAction = map[string]touches{
	events.ActionUpgrade:        allMachines,
	events.ActionApprove:        noMachines, // it is judged with what is agreed to
	events.ActionRestart:        restarted,
	events.ActionResolved:       one(func(a events.Ask) string { return a.Resolved }),
	events.ActionAddMachine:     invited,
	events.ActionApproveMachine: one(func(a events.Ask) string { return a.ApproveMachine }),
	events.ActionRemoveMachine:  one(func(a events.Ask) string { return a.RemoveMachine }),
	events.ActionDeploy:         deployed,
	events.ActionAddUnit:        addedUnit,
	events.ActionRemoveUnit:     removedUnit,
	events.ActionRemoveService:  removedService,
	events.ActionSyncTools:      noMachines,
	events.ActionSetEnv:         noMachines,
	events.ActionUnsetEnv:       noMachines,
	events.ActionTrust:          noMachines,
}

// Known says whether this package knows an action.
func Known(action string) bool { return byAction[action] != nil }

// Actions are the actions that this package knows, in no order.
func Actions() []string { return slices.Collect(maps.Keys(byAction)) }

// Of are the machines that a request is about, in order; a name that is none's is left out.
// Clients sign exactly this list. The list of an action that is not known is empty.
func Of(s *projections.State, a events.Ask) []warrant.Machine {
	if !Known(a.Action) {
		return []warrant.Machine{}
	}
	return byAction[a.Action](s, a)
}

// Resolve says what a client signs beside what the operator typed. It says nothing of an
// action that lets no machine run anything.
func Resolve(s *projections.State, ask events.Ask) wire.Resolution {
	if !events.ActionOf(ask.Action).LetsRun {
		return wire.Resolution{}
	}
	r := wire.Resolution{Machines: Of(s, ask)}
	for _, m := range r.Machines {
		if v := s.Machines[m.ID].Version.Number; v.Compare(r.Newest) > 0 {
			r.Newest = v
		}
	}
	if ask.AddUnit != nil {
		if u := NewestUnit(s, ask.AddUnit.Service); u != nil {
			spec := u.UnitSpec
			spec.Warrant = events.Warrant{}
			r.Unit = &spec
		}
	}
	return r
}

func noMachines(*projections.State, events.Ask) []warrant.Machine { return []warrant.Machine{} }

func allMachines(s *projections.State, _ events.Ask) []warrant.Machine {
	return membersOf(s, Alive(s))
}

// one is a request about a machine that it names.
func one(name func(events.Ask) string) func(*projections.State, events.Ask) []warrant.Machine {
	return func(s *projections.State, a events.Ask) []warrant.Machine { return membersOf(s, []string{name(a)}) }
}

func restarted(s *projections.State, a events.Ask) []warrant.Machine {
	switch {
	case a.Restart == nil:
		return noMachines(s, a)
	case a.Restart.All:
		return allMachines(s, a)
	}
	ids, _ := ByTags(s, a.Restart.Tags)
	return membersOf(s, ids)
}

// invited stands for the machines that an invitation will make: they have its labels, and
// neither a name nor a key yet.
func invited(s *projections.State, a events.Ask) []warrant.Machine {
	if a.AddMachine == nil {
		return noMachines(s, a)
	}
	return []warrant.Machine{{ID: "to be added", Labels: a.AddMachine.Labels}}
}

func deployed(s *projections.State, a events.Ask) []warrant.Machine {
	if a.Deploy == nil {
		return noMachines(s, a)
	}
	return membersOf(s, []string{a.Deploy.Machine})
}

func addedUnit(s *projections.State, a events.Ask) []warrant.Machine {
	if a.AddUnit == nil {
		return noMachines(s, a)
	}
	return membersOf(s, []string{a.AddUnit.Machine})
}

func removedUnit(s *projections.State, a events.Ask) []warrant.Machine {
	if s.Units[a.RemoveUnit] == nil {
		return noMachines(s, a)
	}
	return membersOf(s, []string{s.Units[a.RemoveUnit].Machine})
}

func removedService(s *projections.State, a events.Ask) []warrant.Machine {
	var ids []string
	for _, u := range Units(s, a.RemoveService) {
		ids = append(ids, u.Machine)
	}
	return membersOf(s, ids)
}

func membersOf(s *projections.State, ids []string) []warrant.Machine {
	list := make([]warrant.Machine, 0, len(ids))
	for _, id := range ids {
		if m := s.Machines[id]; m != nil {
			list = append(list, warrant.Machine{ID: id, Key: m.Key, Labels: events.LabelsOf(m.Labels, m.StateServer)})
		}
	}
	return list
}
