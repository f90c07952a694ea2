package warrant

import "github.com/jujube-project/jujube/events"

// May refuses an operator who may not ask for an action over all of these machines. If the action is about
// no machine, the operator must have the role somewhere. For the roles release and admin that is
// everywhere: such an action, which names no machine, changes something for all of them.
func May(o events.Operator, action string, machines []Machine) error {
	role := events.ActionOf(action).Role
	everywhere := len(machines) == 0 && (role == events.RoleRelease || role == events.RoleAdmin)
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

// Needed is how many operators must agree to an upgrade of these machines.
func Needed(roster events.Roster, machines []Machine) int {
	needed := 1
	for _, m := range machines {
		needed = max(needed, roster.Needed(m.Labels))
	}
	return needed
}
