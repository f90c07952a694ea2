package events

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Roster says who may ask for what. It is the signed target operators.json. Machines believe the
// roster, and nothing that a state server says of operators. The zero Roster allows nothing.
type Roster struct {
	Operators    []Operator `json:"operators"`
	StateServers []string   `json:"state_servers"`  // public nkeys of those who sign orders
	Logs         []string   `json:"logs,omitempty"` // verifier keys of those who sign checkpoints of the log
	Quorums      []Quorum   `json:"quorums,omitempty"`
}

// Operator is a person or a program whose signed requests are obeyed.
type Operator struct {
	Name string `json:"name"` // letters, digits, - and _
	Key  string `json:"key"`  // public nkey, "U…"

	Grants []Grant `json:"grants,omitempty"` // none: the operator may ask for nothing
}

// Grant is one role, and the machines over which it is held.
type Grant struct {
	Role   string            `json:"role"`             // a Role… constant
	Labels map[string]string `json:"labels,omitempty"` // over machines that have all of these; none: over every machine
}

// Roles.
const (
	RoleRead    = "read"    // see everything, ask for nothing
	RoleOperate = "operate" // ask for upgrades, restarts and units; not on state servers: see ControlPlane
	RoleApprove = "approve" // agree to what other operators asked
	RoleRelease = "release" // bring tools, and publish signed metadata
	RoleAdmin   = "admin"   // all of these, on state servers too, and machines and settings
)

// Quorum is how many operators must agree to what lets machines with these labels run something. The
// one who asked for it counts as one of them.
type Quorum struct {
	Labels    map[string]string `json:"labels,omitempty"` // none: every machine
	Operators int               `json:"operators"`
}

// Limits of a roster.
const (
	MaxOperators = 1000
	MaxGrants    = 32 // of one operator
	MaxQuorums   = 64
	MaxLabels    = 16 // of one machine, grant or quorum
)

// Operator finds the operator who has this key.
func (r Roster) Operator(key string) (Operator, bool) {
	i := slices.IndexFunc(r.Operators, func(o Operator) bool { return o.Key == key })
	if i < 0 {
		return Operator{}, false
	}
	return r.Operators[i], true
}

// May says whether an operator has a role over a machine with those labels. An admin has
// every role.
func (o Operator) May(role string, labels map[string]string) bool {
	return slices.ContainsFunc(o.Grants, func(g Grant) bool {
		return (g.Role == role || g.Role == RoleAdmin) && g.holds(labels)
	})
}

// MayWherever says whether an operator has a role over every machine over which another one
// has it, whatever labels machines have.
func (o Operator) MayWherever(other Operator, role string) bool {
	return !slices.ContainsFunc(other.Grants, func(g Grant) bool {
		switch g.Role {
		case role:
			return !o.May(role, g.Labels)
		case RoleAdmin: // state servers, too
			return !o.May(role, g.Labels) || !o.May(role, withControlPlane(g.Labels))
		}
		return false
	})
}

// Somewhere says whether an operator has a role over at least some machines.
func (o Operator) Somewhere(role string) bool {
	return slices.ContainsFunc(o.Grants, func(g Grant) bool { return g.Role == role || g.Role == RoleAdmin })
}

// MayAsk says whether an operator may ask for anything at all.
func (o Operator) MayAsk() bool {
	return slices.ContainsFunc(o.Grants, func(g Grant) bool { return g.Role != RoleRead })
}

// Needed is how many operators must agree to what lets a machine with these labels run something: the
// largest of the quorums that cover the machine, and never less than one.
func (r Roster) Needed(labels map[string]string) int {
	n := 1
	for _, q := range r.Quorums {
		if covers(q.Labels, labels) {
			n = max(n, q.Operators)
		}
	}
	return n
}

// NeededAnywhere is the largest of all quorums, and never less than one.
func (r Roster) NeededAnywhere() int {
	n := 1
	for _, q := range r.Quorums {
		n = max(n, q.Operators)
	}
	return n
}

// covers says whether labels has every label of scope.
func covers(scope, labels map[string]string) bool {
	for k, v := range scope {
		if labels[k] != v {
			return false
		}
	}
	return true
}

// Validate checks names, roles, labels and limits, and that no name or key stands twice.
func (r Roster) Validate() error {
	switch {
	case len(r.Operators) == 0 || len(r.Operators) > MaxOperators:
		return fmt.Errorf("%d operators; there must be 1 to %d", len(r.Operators), MaxOperators)
	case len(r.Quorums) > MaxQuorums:
		return fmt.Errorf("%d quorums; at most %d", len(r.Quorums), MaxQuorums)
	}
	names, keys := map[string]bool{}, map[string]bool{}
	var errs []error
	for _, o := range r.Operators {
		if names[o.Name] || keys[o.Key] {
			errs = append(errs, fmt.Errorf("operator %q, or the key %q, stands twice", o.Name, o.Key))
		}
		names[o.Name], keys[o.Key] = true, true
		errs = append(errs, o.validate())
	}
	for _, q := range r.Quorums {
		if q.Operators < 1 || q.Operators > MaxOperators {
			errs = append(errs, fmt.Errorf("a quorum of %d operators; must be 1 to %d", q.Operators, MaxOperators))
		}
		errs = append(errs, CheckLabels(q.Labels))
	}
	return errors.Join(errs...)
}

func (o Operator) validate() error {
	if !IsID(o.Name) || o.Key == "" {
		return fmt.Errorf("operator %q with key %q: both must be given", o.Name, o.Key)
	}
	if len(o.Grants) > MaxGrants {
		return fmt.Errorf("operator %s has %d grants; at most %d", o.Name, len(o.Grants), MaxGrants)
	}
	for _, g := range o.Grants {
		if !slices.Contains([]string{RoleRead, RoleOperate, RoleApprove, RoleRelease, RoleAdmin}, g.Role) {
			return fmt.Errorf("operator %s has the role %q; roles are read, operate, approve, release and admin", o.Name, g.Role)
		}
		if err := CheckLabels(g.Labels); err != nil {
			return fmt.Errorf("operator %s: %w", o.Name, err)
		}
	}
	return nil
}

// CheckLabels refuses more labels than MaxLabels, and names or values that are no words.
func CheckLabels(labels map[string]string) error {
	if len(labels) > MaxLabels {
		return fmt.Errorf("%d labels; at most %d", len(labels), MaxLabels)
	}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if !IsID(k) || !IsID(labels[k]) {
			return fmt.Errorf("label %q=%q is not NAME=VALUE of letters, digits, - and _", k, labels[k])
		}
	}
	return nil
}
