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
