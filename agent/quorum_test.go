package agent

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/warrant"
)

// agreed is the warrant with the approval of one more operator.
func agreed(t *testing.T, w events.Warrant, who string) events.Warrant {
	t.Helper()
	_, asked, err := events.ParseSigned(w.Request)
	if err != nil {
		t.Fatal(err)
	}
	statement, err := json.Marshal(events.Ask{
		ID: "a-" + who, Environment: "e", Action: events.ActionApprove, Created: lawTime, Expires: lawTime.Add(time.Minute),
		Approve: &events.AskApprove{Request: asked.ID, SHA256: warrant.Digest(w.Request)},
	})
	if err != nil {
		t.Fatal(err)
	}
	signature, _ := testkey.Of(who).Sign(events.PAE(events.ApprovalType, statement))
	approval, err := json.Marshal(events.Signed{Statement: statement, Key: testkey.Of(who).Public(), Signature: signature})
	if err != nil {
		t.Fatal(err)
	}
	w.Approvals = append(w.Approvals, approval)
	return w
}

// Somebody has the state server and the key of one operator of two. The machine counts by itself, for
// everything that lets it run something: what runs goes on, a restart runs it again, nothing else begins.
func TestB03OneOperatorOfTwoRunsNothing(t *testing.T) {
	a := testAgent(t, &fakeBus{})
	t.Cleanup(func() { a.units.end(false) })
	law, seq := lawOf3(), uint64(0)
	give := func(p events.Payload) {
		t.Helper()
		seq++
		a.hear(t.Context(), law, said(t, seq, p, "state server"))
	}
	has := func(names string, codes ...string) {
		t.Helper()
		var got []string
		for _, u := range a.units.given.Units {
			got = append(got, u.Unit)
		}
		if strings.Join(got, " ") != names {
			t.Errorf("it has the units %v, want %q", got, names)
		}
		if refused := refusalsOf(t, a); strings.Join(refused, " ") != strings.Join(codes, " ") {
			t.Errorf("it refused %q, want %q", refused, codes)
		}
	}
	sleep := []string{"/bin/sleep", "60"}
	before, alone, two := unit(t, "web/0", "q1", sleep...), unit(t, "evil/0", "q2", sleep...), unit(t, "web/1", "q3", sleep...)
	two.Warrant = agreed(t, two.Warrant, "bob")
	give(&events.UnitsAssigned{Machine: "3", Units: []events.UnitSpec{before}})
	has("web/0")

	roster := law.Trust.Roster()
	roster.Quorums = []events.Quorum{{Operators: 2}}
	roster.Operators = append(roster.Operators, events.Operator{
		Name: "bob", Key: testkey.Of("bob").Public(), Grants: []events.Grant{{Role: events.RoleApprove}},
	})
	law.Trust = metadata{roster: roster}
	give(&events.UnitsAssigned{Machine: "3", Units: []events.UnitSpec{before, alone, two}})
	has("web/0 web/1", "req-quorum")

	resolved := warranted(t, "alice", events.Ask{ID: "q4", Action: events.ActionResolved, Resolved: "3"}, "3")
	for name, c := range map[string]struct {
		order events.Payload
		want  string
	}{
		"an upgrade":      {upgradeOf3(t), events.CodeRequestQuorum},
		"resolved by one": {&events.MachineResolved{Machine: "3", Warrant: resolved}, events.CodeRequestQuorum},
		"resolved by two": {&events.MachineResolved{Machine: "3", Warrant: agreed(t, resolved, "bob")}, ""},
		"a restart":       {restart(t, "alice", "3", "3"), ""},
	} {
		in, err := law.Input(said(t, 9, c.order, "state server"), c.order)
		if err != nil {
			t.Fatal(err)
		}
		var f *events.Failure
		switch in := in.(type) {
		case Ordered:
			f = in.Unlawful
		case Resolved:
			f = in.Unlawful
		case RestartOrdered:
			f = in.Unlawful
		}
		got := ""
		if f != nil {
			got = f.Code
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
