package projections_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
)

// The newest published metadata says who may ask. Before the first publication it is the operators that the
// environment began with.
func TestOperatorsComeFromWhatWasPublished(t *testing.T) {
	s := projections.New()
	ann := events.Operator{Name: "ann", Key: "UANN", Grants: []events.Grant{{Role: events.RoleAdmin}}}
	bob := events.Operator{Name: "bob", Key: "UBOB"}
	fold := func(seq uint64, p events.Payload) {
		t.Helper()
		rec, err := events.New(events.Envelope{ID: "r", Time: time.Unix(1, 0), Actor: "state-server-0"}, p)
		if err != nil {
			t.Fatal(err)
		}
		rec.Seq = seq
		s.Fold(rec)
	}
	known := func() string {
		var names []string
		for _, o := range s.Trust.Roster.Operators {
			names = append(names, o.Name)
		}
		return strings.Join(names, " ")
	}
	number := version.Number{Major: 1, Minor: 25}
	fold(1, &events.EnvironmentCreated{UUID: "e", Name: "e", AgentVersion: number, Operators: []events.Operator{ann}})
	if known() != "ann" {
		t.Fatalf("it begins with %q", known())
	}
	published := &events.TrustPublished{
		Bundle: events.Object{SHA256: strings.Repeat("ab", 32), Size: 1}, Version: events.TrustVersions{Root: 1, Targets: 1, Snapshot: 1, Timestamp: 1},
		Fresh: time.Unix(2, 0), Expires: time.Unix(3, 0), Timestamp: []byte("{}"), Roster: events.Roster{Operators: []events.Operator{bob}},
	}
	fold(2, published)
	if known() != "bob" || s.Trust.Seq != 2 || s.Trust.Bundle != published.Bundle {
		t.Fatalf("afterwards %q, %+v", known(), s.Trust)
	}
	back, err := projections.DecodeSnapshot(projections.EncodeSnapshot(s))
	if err != nil || back.Digest() != s.Digest() {
		t.Fatalf("a snapshot brings back another state, %v", err)
	}
}

// B22: who was an operator and only reads from now on is cut off with the credentials of before. Credentials
// that are made later hold, and who may ask for something again gets back what he had.
func TestB22ARoleTakenBackTakesTheCredentials(t *testing.T) {
	ann := events.Operator{Name: "ann", Key: "UANN", Grants: []events.Grant{{Role: events.RoleAdmin}}}
	bob := func(roles ...string) events.Operator {
		o := events.Operator{Name: "bob", Key: "UBOB"}
		for _, r := range roles {
			o.Grants = append(o.Grants, events.Grant{Role: r})
		}
		return o
	}
	s := projections.New()
	published := func(operators ...events.Operator) (dismissed bool, at time.Time) {
		t.Helper()
		rec, err := events.New(events.Envelope{ID: "r", Time: time.Unix(int64(100+s.Seq), 0), Actor: "state-server-0"}, &events.TrustPublished{
			Bundle: events.Object{SHA256: strings.Repeat("ab", 32), Size: 1}, Version: events.TrustVersions{Root: 1, Targets: 1, Snapshot: 1, Timestamp: 1},
			Fresh: time.Unix(2, 0), Expires: time.Unix(3, 0), Timestamp: []byte("{}"), Roster: events.Roster{Operators: operators},
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Fold(rec)
		at, dismissed = s.Dismissed["UBOB"]
		return dismissed, at
	}
	for _, c := range []struct {
		then  []events.Operator
		since int64 // when credentials of bob were revoked last; 0: they are not
	}{
		{[]events.Operator{ann, bob(events.RoleRead, events.RoleOperate)}, 0},
		{[]events.Operator{ann, bob(events.RoleApprove)}, 0},
		{[]events.Operator{ann, bob(events.RoleRead)}, 102},
		{[]events.Operator{ann, bob()}, 102},
		{[]events.Operator{ann, bob(events.RoleRead)}, 102},
		{[]events.Operator{ann, bob(events.RoleOperate)}, 0},
		{[]events.Operator{ann}, 106},
		{[]events.Operator{ann, bob(events.RoleRead)}, 106}, // those of an operator do not come back with him
		{[]events.Operator{ann}, 108},
	} {
		if revoked, at := published(c.then...); revoked != (c.since > 0) || revoked && at.Unix() != c.since {
			t.Errorf("at %d bob's credentials are revoked: %v, until %d; want %d", s.Seq+99, revoked, at.Unix(), c.since)
		}
	}
}
