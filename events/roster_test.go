package events_test

import (
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
)

func TestRosterMay(t *testing.T) {
	prod, dev := map[string]string{"env": "prod", "rack": "a"}, map[string]string{"env": "dev"}
	alice := events.Operator{Name: "alice", Key: "UA", Grants: []events.Grant{{Role: events.RoleOperate, Labels: map[string]string{"env": "dev"}}}}
	root := events.Operator{Name: "root", Key: "UR", Grants: []events.Grant{{Role: events.RoleAdmin}}}
	for _, c := range []struct {
		name   string
		who    events.Operator
		role   string
		labels map[string]string
		want   bool
	}{
		{"her role in her scope", alice, events.RoleOperate, dev, true},
		{"her role in another scope", alice, events.RoleOperate, prod, false},
		{"her role on a machine without labels", alice, events.RoleOperate, nil, false},
		{"another role in her scope", alice, events.RoleApprove, dev, false},
		{"an admin anything", root, events.RoleRelease, prod, true},
		{"nobody nothing", events.Operator{}, events.RoleRead, nil, false},
	} {
		if got := c.who.May(c.role, c.labels); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// What people type and read, and what stands in the roster: an agent of before can read it.
func TestGrantsAreNamedAsPeopleNameThem(t *testing.T) {
	prod := map[string]string{"env": "prod"}
	for _, c := range []struct {
		role   string
		labels map[string]string
		want   string // String, and the role in the roster
	}{
		{events.RoleOperate, prod, "operate(env=prod) operate"},
		{events.RoleAdmin, nil, "admin admin"},
		{events.RoleControlPlane, nil, "control-plane operate"},
		{events.RoleControlPlane, prod, "control-plane(env=prod) operate"},
	} {
		g, err := events.GrantOf(c.role, c.labels)
		if got := g.String() + " " + g.Role; err != nil || got != c.want {
			t.Errorf("%s over %v: %q, %v, want %q", c.role, c.labels, got, err, c.want)
		}
	}
	if _, err := events.GrantOf("root", nil); err == nil || !strings.Contains(err.Error(), "roles are read, operate, control-plane, approve, release, admin") {
		t.Errorf("%v", err)
	}
}

func TestMayWhereverSeesTheControlPlane(t *testing.T) {
	who := func(role string, labels map[string]string) events.Operator {
		g, err := events.GrantOf(role, labels)
		if err != nil {
			t.Fatal(err)
		}
		return events.Operator{Grants: []events.Grant{g}}
	}
	admin, operate, control, dev := who(events.RoleAdmin, nil), who(events.RoleOperate, nil), who(events.RoleControlPlane, nil),
		who(events.RoleOperate, map[string]string{"env": "dev"})
	for _, c := range []struct {
		name    string
		o, than events.Operator
		want    bool
	}{
		{"an admin, than anybody", admin, control, true},
		{"an operator, than an admin", operate, admin, false},
		{"an operator, than who has the control plane", operate, control, false},
		{"an operator, than one of dev", operate, dev, true},
		{"one of dev, than an operator", dev, operate, false},
	} {
		if got := c.o.MayWherever(c.than, events.RoleOperate); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestRosterNeeded(t *testing.T) {
	r := events.Roster{Quorums: []events.Quorum{
		{Operators: 2, Labels: map[string]string{"env": "prod"}},
		{Operators: 3, Labels: map[string]string{"env": "prod", "rack": "a"}},
		{Operators: 4, Labels: map[string]string{events.ControlPlane: "true"}},
	}}
	if got := r.NeededAnywhere(); got != 4 {
		t.Errorf("the largest quorum is %d, want 4", got)
	}
	for labels, want := range map[string]int{"": 1, events.ControlPlane + "=true": 4, "env=dev": 1, "env=prod": 2, "env=prod rack=a": 3} {
		m := map[string]string{}
		for _, word := range strings.Fields(labels) {
			k, v, _ := strings.Cut(word, "=")
			m[k] = v
		}
		if got := r.Needed(m); got != want {
			t.Errorf("%q needs %d, want %d", labels, got, want)
		}
	}
}

func TestRosterValidate(t *testing.T) {
	ok := events.Operator{Name: "a", Key: "UA", Grants: []events.Grant{{Role: events.RoleRead}}}
	for text, r := range map[string]events.Roster{
		"0 operators":  {},
		"stands twice": {Operators: []events.Operator{ok, ok}},
		"has the role": {Operators: []events.Operator{{Name: "a", Key: "UA", Grants: []events.Grant{{Role: "root"}}}}},
		"label": {Operators: []events.Operator{{
			Name: "a", Key: "UA",
			Grants: []events.Grant{{Role: events.RoleRead, Labels: map[string]string{"a b": ""}}},
		}}},
		"a quorum of 0": {Operators: []events.Operator{ok}, Quorums: []events.Quorum{{}}},
	} {
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
	if err := (events.Roster{Operators: []events.Operator{ok}}).Validate(); err != nil {
		t.Error(err)
	}
}
