package decide

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/rollout"
)

// report hands in what an agent sent, and says how it was answered.
func (k *desk) report(from string, n uint64, r events.Report) string {
	k.t.Helper()
	r.SetHead(events.ReportHead{Machine: "1", Epoch: "e1", N: n})
	rec, err := events.New(events.Envelope{ID: "sent", Time: judged, Actor: "machine-1"}, r)
	if err != nil {
		k.t.Fatal(err)
	}
	if rec, err = rec.Signed(testkey.Of("machine-1")); err != nil {
		k.t.Fatal(err)
	}
	code, err := k.hear(from, rec)
	if err != nil && !errors.Is(err, ErrInvalidReport) {
		k.t.Fatal(err)
	}
	return code
}

// hear hands in a record that came under a machine's subject.
func (k *desk) hear(from string, rec events.Record) (code string, err error) {
	k.t.Helper()
	data, err := events.Marshal(rec)
	if err != nil {
		k.t.Fatal(err)
	}
	told, err := ReadReport(from, data)
	if err == nil {
		err = AuthenticateReport(k.at(), told)
	}
	if err != nil {
		return wire.ReportInvalid, err
	}
	d, code, err := Report(k.at(), told)
	k.decided(d)
	return code, err
}

// order gives machine 1 an open order.
func (k *desk) order(id string) {
	k.t.Helper()
	k.fact("up1", &events.OrderIssued{
		Order: id, Upgrade: "up1", Machine: "1", From: bin("1.25.0").Number, Expires: judged.Add(time.Hour),
		Tools: tools.Tools{Version: bin("1.25.1"), Size: 1, SHA256: digest},
	})
}

func upgraded(order string) *events.AgentUpgraded {
	r := &events.AgentUpgraded{Version: bin("1.25.1")}
	r.Order = order
	return r
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing": nil, "garbage": []byte("x"), "a fact of the state server": mustMarshal(t, &events.MachineRemoved{Machine: "1"}),
	} {
		if _, err := ReadReport("machine-1", data); !errors.Is(err, ErrInvalidReport) {
			t.Errorf("%s: %v, want ErrInvalidReport", name, err)
		}
	}
}

// A report of an order belongs to the upgrade of that order, whatever the agent says.
func TestAReportOfAnOrderBelongsToItsUpgrade(t *testing.T) {
	k := newDesk(t)
	k.order("o1")
	k.report("machine-1", 1, upgraded("o1"))
	k.want("order.issued/1 agent.upgraded/1")
	if got := k.recs[1].Correlation; got != "up1" {
		t.Errorf("the report belongs to %q, want the upgrade up1", got)
	}
}

// Each row is a report that machine 1 did not make, or that was changed on its way.
func TestBI86OnlyTheMachineItselfReports(t *testing.T) {
	for name, c := range map[string]struct {
		by      string // who signs
		machine string // of whom it speaks
		from    string // under whose subject it came
		edit    func(*events.Record)
	}{
		"BI-86 signed by A, says B":              {"machine-2", "1", "machine-1", nil},
		"BI-86 signed by A, says B, sent by A":   {"machine-2", "1", "machine-2", nil},
		"BI-86 signed by B, sent by A":           {"machine-1", "1", "machine-2", nil},
		"BI-86 signed by the state server":       {"state server", "1", "machine-1", nil},
		"BI-86 edited on its way":                {"machine-1", "1", "machine-1", func(r *events.Record) { r.Data = append(r.Data, ' ') }},
		"BI-86 unsigned":                         {"machine-1", "1", "machine-1", func(r *events.Record) { r.Key, r.Signature = "", "" }},
		"BI-86 the key of B, the signature of A": {"machine-2", "1", "machine-1", func(r *events.Record) { r.Key = testkey.Of("machine-1").Public() }},
	} {
		k := newDesk(t)
		before := k.state.Digest()
		r := &events.AgentStarted{Version: bin("1.25.0")}
		r.SetHead(events.ReportHead{Machine: c.machine, Epoch: "e1", N: 1})
		rec, err := events.New(events.Envelope{ID: "sent", Time: judged, Actor: "machine-" + c.machine}, r)
		if err == nil {
			rec, err = rec.Signed(testkey.Of(c.by))
		}
		if err != nil {
			t.Fatal(err)
		}
		if c.edit != nil {
			c.edit(&rec)
		}
		code, err := k.hear(c.from, rec)
		if code != wire.ReportInvalid || err == nil || !strings.Contains(err.Error(), "event-author") {
			t.Errorf("%s: answered %q: %v; want event-author", name, code, err)
		}
		if k.want(""); k.state.Digest() != before {
			t.Errorf("%s: the state has changed", name)
		}
	}
}

// What a machine says lies in the log byte for byte, with its signature, also when it
// comes after its order has ended.
func TestReportsKeepTheirSignature(t *testing.T) {
	k := newDesk(t)
	k.report("machine-1", 1, &events.AgentStarted{Version: bin("1.25.0")})
	k.report("machine-1", 2, upgraded("gone"))
	k.want("agent.started/1 report.late/1")
	late, err := events.Decode(k.recs[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []events.Record{k.recs[0], late.(*events.ReportLate).Original()} {
		if err := r.CheckSignature(testkey.Of("machine-1").Public()); err != nil {
			t.Error(err)
		}
	}
}

func mustMarshal(t *testing.T, p events.Payload) []byte {
	t.Helper()
	rec, err := events.New(events.Envelope{ID: "x", Time: judged, Actor: "machine-1"}, p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := events.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A machine that has begun an order is at it until it says otherwise, whatever became of
// the order: nobody is called upgraded meanwhile, not even for the version that it tries.
func TestAWithdrawnOrderIsNotOverBeforeItsMachineSaysSo(t *testing.T) {
	k := newDesk(t)
	k.order("o1")
	begun := &events.AgentDownloading{}
	begun.Order = "o1"
	k.report("machine-1", 1, begun)
	k.fact("up1", &events.OrderSuperseded{Order: "o1", Machine: "1", Reason: "x"})
	k.state.Upgrade = &projections.Upgrade{ID: "up2", To: bin("1.25.1").Number, Machines: []string{"1"}, Done: map[string]string{}}
	want := func(what string, action rollout.Action) {
		t.Helper()
		if got := rollout.Plan(k.state, rollout.Policy{}).Machines[0]; got.Action != action {
			t.Fatalf("%s the plan says %q: %s; want %q", what, got.Action, got.Reason, action)
		}
	}
	want("after the order was withdrawn", rollout.Blocked)
	k.report("machine-1", 2, &events.AgentStarted{Version: bin("1.25.1"), Order: "o1"})
	want("while the version is on trial", rollout.Blocked)
	k.report("machine-1", 3, upgraded("o1"))
	want("when the machine kept the version", rollout.Done)
	k.report("machine-1", 4, &events.AgentStarted{Version: bin("1.25.1"), Order: "o1"}) // it died before it noted that it said so
	want("when it says again what it ended", rollout.Done)
}

// B13: a field that nobody reads made a report of 31 KB of one of 200 bytes. What is taken into the log is
// what this version reads, and nothing else.
func TestB13UnknownFieldsOfReportsAreRefused(t *testing.T) {
	for name, add := range map[string]string{
		"a field that nobody reads": `,"pad":"` + strings.Repeat("x", 31<<10) + `"}`,
		"a field twice":             `,"pid":2}`,
		"a field in another case":   `,"PID":2}`,
	} {
		k := newDesk(t)
		r := &events.AgentStarted{Version: bin("1.25.0"), PID: 1}
		r.SetHead(events.ReportHead{Machine: "1", Epoch: "e1", N: 1})
		rec, err := events.New(events.Envelope{ID: "sent", Time: judged, Actor: "machine-1"}, r)
		if err != nil {
			t.Fatal(err)
		}
		rec.Data = append(rec.Data[:len(rec.Data)-1], add...)
		if rec, err = rec.Signed(testkey.Of("machine-1")); err != nil {
			t.Fatal(err)
		}
		if code, err := k.hear("machine-1", rec); code != wire.ReportInvalid || !errors.Is(err, ErrInvalidReport) {
			t.Errorf("B13: %s: %q, %v; want it refused", name, code, err)
		}
	}
}
