package events

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ControlPlane is the label, with the value "true", that every state server has by itself and that no
// other machine can have. Operate holds over a state server only where the grant names this label.
//
// It is a label and not one more role in the roster because an agent of before refuses a roster with a
// role that it does not know, and without newer metadata it would never be upgraded again. A label that
// it does not know it reads, and finds no machine that has it.
const ControlPlane = "juju-control-plane"

// RoleControlPlane is the role operate, over state servers, as people name it. In the roster it is
// operate with the label ControlPlane: see GrantOf.
const RoleControlPlane = "control-plane"

// Roles are the roles that people can grant, in the order in which they are shown.
var Roles = []string{RoleRead, RoleOperate, RoleControlPlane, RoleApprove, RoleRelease, RoleAdmin}

// GrantOf is the grant of a role as people name it, over machines with these labels.
func GrantOf(role string, labels map[string]string) (Grant, error) {
	switch {
	case !slices.Contains(Roles, role):
		return Grant{}, fmt.Errorf("there is no role %q; roles are %s", role, strings.Join(Roles, ", "))
	case role == RoleControlPlane:
		return Grant{Role: RoleOperate, Labels: withControlPlane(labels)}, nil
	}
	return Grant{Role: role, Labels: labels}, nil
}

// String is the grant as people name it: operate(env=prod), control-plane.
func (g Grant) String() string {
	role, labels := g.Role, g.Labels
	if role == RoleOperate && IsControlPlane(labels) {
		role, labels = RoleControlPlane, maps.Clone(labels)
		delete(labels, ControlPlane)
	}
	if len(labels) == 0 {
		return role
	}
	return role + "(" + LabelsText(labels) + ")"
}

// holds says whether a grant is for machines with these labels.
func (g Grant) holds(labels map[string]string) bool {
	if g.Role == RoleOperate && IsControlPlane(g.Labels) != IsControlPlane(labels) {
		return false
	}
	return covers(g.Labels, labels)
}

// LabelsOf are the labels by which operators have rights over a machine: those it was invited with and,
// on a state server, ControlPlane.
func LabelsOf(invited map[string]string, stateServer bool) map[string]string {
	if stateServer {
		return withControlPlane(invited)
	}
	if _, claims := invited[ControlPlane]; !claims {
		return invited
	}
	labels := maps.Clone(invited)
	delete(labels, ControlPlane)
	return labels
}

// IsControlPlane says whether a machine with these labels is a state server.
func IsControlPlane(labels map[string]string) bool { return labels[ControlPlane] == "true" }

func withControlPlane(labels map[string]string) map[string]string {
	with := maps.Clone(labels)
	if with == nil {
		with = map[string]string{}
	}
	with[ControlPlane] = "true"
	return with
}

// LabelsText says labels in words: env=prod,rack=a.
func LabelsText(labels map[string]string) string {
	if len(labels) == 0 {
		return "no labels"
	}
	words := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		words = append(words, k+"="+labels[k])
	}
	return strings.Join(words, ",")
}
