package warrant

import (
	"maps"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
)

// May refuses an operator who may not ask for an action over all of these machines. If the action is about
// no machine, it changes something for all of them, and the operator must have the role everywhere. Only
// for operate it is enough to have it somewhere: that request is about a machine that is not there.
func May(o events.Operator, action string, machines []Machine) error {
	role := events.ActionOf(action).Role
	everywhere := len(machines) == 0 && role != events.RoleOperate
	if !o.Somewhere(role) || everywhere && !o.May(role, nil) {
		return events.Refuse(events.CodeRequestScope, "%s does not have the role %s, which %s needs", o.Name, role, action)
	}
	for _, m := range machines {
		if !o.May(role, m.Labels) {
			return scope(o, role, action, m)
		}
	}
	return nil
}

// scope is the refusal of an operator who lacks a role over a machine.
func scope(o events.Operator, role, action string, m Machine) error {
	if role == events.RoleOperate && events.IsControlPlane(m.Labels) {
		return events.Refuse(events.CodeRequestScope, "%s does not have the role %s over machine %s, which is a state server, and %s needs it; an admin may "+
			"grant it: juju user grant %s %s", o.Name, events.RoleControlPlane, m.ID, action, o.Name, events.RoleControlPlane)
	}
	return events.Refuse(events.CodeRequestScope, "%s does not have the role %s over machine %s, which has %s, and %s needs it", o.Name, role, m.ID,
		labelsText(m.Labels), action)
}

func labelsText(labels map[string]string) string {
	if len(labels) == 0 {
		return events.LabelsText(nil)
	}
	return "the labels " + events.LabelsText(labels)
}

// Needed is how many operators must agree to a request that is about these machines.
func Needed(roster events.Roster, ask events.Ask, machines []Machine) int {
	switch events.ActionOf(ask.Action).Agree {
	case events.MachinesAgree:
		needed := 1
		for _, m := range machines {
			needed = max(needed, roster.Needed(m.Labels))
		}
		return needed
	case events.BeliefAgrees:
		if changesBelief(ask) {
			return roster.NeededAnywhere()
		}
	}
	return 1
}

func changesBelief(ask events.Ask) bool {
	keys := slices.Concat(slices.Collect(maps.Keys(ask.SetEnv)), ask.UnsetEnv)
	return slices.ContainsFunc(keys, func(key string) bool { return settings.ChangesBelief(key) != "" })
}

// MayAgree are the names of the operators on a roster whose approval of a request would count.
func MayAgree(roster events.Roster, machines []Machine) (names []string) {
	for _, o := range roster.Operators {
		if May(o, events.ActionApprove, machines) == nil {
			names = append(names, o.Name)
		}
	}
	return names
}
