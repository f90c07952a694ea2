package audit_test

import (
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections/audit"
)

// Each row writes one record, signed by somebody, into a log whose first record was signed by opened, and
// says whether the verifier finds that this author may not say it.
func TestVerifyFindsWhoDidNotSayIt(t *testing.T) {
	v := version.Binary{Number: version.Number{Major: 1, Minor: 25}, Series: "trusty", Arch: "amd64"}
	head := events.ReportHead{Machine: "1", Epoch: "e", N: 1}
	report := &events.AgentStarted{ReportHead: head, Version: v}
	order := &events.MachineResolved{Machine: "1"}
	said := recordOf(t, 9, report, "machine-1")
	late := &events.ReportLate{ReportHead: head, Order: "o", Report: said.Kind, Data: said.Data, Key: said.Key, Signature: said.Signature}
	forged := *late
	forged.Data = append([]byte(" "), late.Data...)
	for name, c := range map[string]struct {
		payload events.Payload
		by      string
		opened  string
		found   bool
	}{
		"a machine's report":             {report, "machine-1", "state server", false},
		"BI-86 another machine's":        {report, "machine-2", "state server", true},
		"BI-86 nobody's":                 {report, "", "state server", true},
		"nobody's, in an old log":        {report, "", "", false},
		"a wrong one's, in an old log":   {report, "machine-2", "", true},
		"a late report":                  {late, "", "state server", false},
		"BI-86 a late report, edited":    {&forged, "", "state server", true},
		"the state server's order":       {order, "state server", "state server", false},
		"an order of a machine's":        {order, "machine-1", "state server", true},
		"an order of nobody's":           {order, "", "state server", true},
		"an order of nobody's, old log":  {order, "", "", false},
		"an order of another one's, old": {order, "machine-1", "", true},
	} {
		verifier := audit.NewVerifier()
		verifier.Fold(recordOf(t, 1, &events.EnvironmentCreated{
			UUID: "e", Name: "e", AgentVersion: v.Number, Operators: []events.Operator{{Name: "alice", Key: testkey.Of("alice").Public()}},
		}, c.opened), nil)
		verifier.Fold(recordOf(t, 2, &events.MachineEnrolled{Machine: "1", Key: testkey.Of("machine-1").Public(), Version: v}, ""), nil)
		verifier.Fold(recordOf(t, 3, c.payload, c.by), nil)
		found := len(verifier.Findings) == 1 && verifier.Findings[0].Code == audit.FoundAuthor
		if found != c.found || !c.found && len(verifier.Findings) > 0 {
			t.Errorf("%s: found %+v", name, verifier.Findings)
		}
	}
}

func recordOf(t *testing.T, seq uint64, p events.Payload, by string) events.Record {
	t.Helper()
	rec, err := events.New(events.Envelope{ID: "r", Time: time.Unix(1, 0), Actor: "tester"}, p)
	if err == nil && by != "" {
		rec, err = rec.Signed(testkey.Of(by))
	}
	if err != nil {
		t.Fatal(err)
	}
	rec.Seq = seq
	return rec
}
