package agent

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
)

// metadata is signed metadata without its signatures.
type metadata struct {
	roster  events.Roster
	floor   version.Number
	revoked events.Revoked
}

func (m metadata) Roster() events.Roster   { return m.roster }
func (m metadata) Floor() version.Number   { return m.floor }
func (m metadata) Revoked() events.Revoked { return m.revoked }

func (m metadata) Tools(want tools.Tools) error {
	if slices.Contains(m.revoked.Artefacts, want.SHA256) {
		return events.Refuse(version.CodeRevoked, "%s was taken back", want.FileName())
	}
	return nil
}

var lawTime = time.Unix(1_700_000_000, 0)

// lawOf3 is what machine 3 goes by: alice may operate, "state server" gives orders.
func lawOf3() Law {
	return Law{
		Reader: warrant.Reader{Environment: "e", Now: lawTime, Trust: metadata{roster: events.Roster{
			Operators:    []events.Operator{{Name: "alice", Key: testkey.Of("alice").Public(), Grants: []events.Grant{{Role: events.RoleOperate}}}},
			StateServers: []string{testkey.Of("state server").Public()},
		}}},
		Own:  warrant.Machine{ID: "3", Key: testkey.Of("machine-3").Public()},
		Runs: version.Number{Major: 1, Minor: 25},
	}
}

// warranted signs an ask for machines.
func warranted(t *testing.T, by string, ask events.Ask, machines ...string) events.Warrant {
	t.Helper()
	var members []warrant.Machine
	for _, id := range machines {
		members = append(members, warrant.Machine{ID: id, Key: testkey.Of("machine-" + id).Public()})
	}
	list, err := warrant.NewList(members)
	if err == nil {
		ask.Machines, err = list.Signed()
	}
	if err != nil {
		t.Fatal(err)
	}
	ask.Environment, ask.Created, ask.Expires, ask.Until = "e", lawTime, lawTime.Add(time.Minute), cmp.Or(ask.Until, lawTime.Add(events.MaxRequestLife))
	statement, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	signature, _ := testkey.Of(by).Sign(events.PAE(events.RequestType, statement))
	request, err := json.Marshal(events.Signed{Statement: statement, Key: testkey.Of(by).Public(), Signature: signature})
	if err != nil {
		t.Fatal(err)
	}
	w := events.Warrant{Request: request}
	if proven, err := list.Prove(w, "3"); err == nil {
		w = proven
	}
	return w
}

// said is a record as it comes from the log.
func said(t *testing.T, seq uint64, p events.Payload, by string) events.Record {
	t.Helper()
	rec, err := events.New(events.Envelope{ID: "r", Time: lawTime, Actor: "state-server-0"}, p)
	if err == nil && by != "" {
		rec, err = rec.Signed(testkey.Of(by))
	}
	if err != nil {
		t.Fatal(err)
	}
	rec.Seq = seq
	return rec
}

func restart(t *testing.T, by, machine string, list ...string) *events.RestartOrdered {
	ask := events.Ask{ID: "q1", Action: events.ActionRestart, Restart: &events.AskRestart{All: true}}
	return &events.RestartOrdered{Order: "o1", Machine: machine, Warrant: warranted(t, by, ask, list...)}
}

// Each row is a restart that a state server orders; the code is what the machine says.
func TestTheLawOfRestarts(t *testing.T) {
	deploy := events.Ask{ID: "q1", Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "web", Machine: "3", Command: []string{"x"}}}
	for name, c := range map[string]struct {
		order *events.RestartOrdered
		by    string
		later time.Duration
		want  string
	}{
		"lawful":                    {restart(t, "alice", "3", "3", "4"), "state server", 0, ""},
		"signed by nobody":          {restart(t, "alice", "3", "3"), "", 0, "order-signature"},
		"signed by a machine":       {restart(t, "alice", "3", "3"), "machine-3", 0, "order-signature"},
		"BI-52 another machine's":   {restart(t, "alice", "4", "3", "4"), "state server", 0, "not-for-me"},
		"BI-41 asked for by itself": {restart(t, "state server", "3", "3"), "state server", 0, "req-operator"},
		"BI-51 not in the list":     {restart(t, "alice", "3", "4"), "state server", 0, "not-in-request"},
		"BI-48 an old request":      {restart(t, "alice", "3", "3"), "state server", 8 * 24 * time.Hour, "req-expired"},
		"with a request for something else": {
			&events.RestartOrdered{Order: "o1", Machine: "3", Warrant: warranted(t, "alice", deploy, "3")}, "state server", 0, "not-asked",
		},
	} {
		law := lawOf3()
		law.Now = lawTime.Add(c.later)
		in, err := law.Input(said(t, 5, c.order, c.by), c.order)
		got := ""
		if err != nil {
			got = refusalCode(err)
		} else if f := in.(RestartOrdered).Unlawful; f != nil {
			got = f.Code
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// upgradeOf3 is a lawful order: machine 3 goes to 1.25.1.
func upgradeOf3(t *testing.T) *events.OrderIssued {
	t.Helper()
	to := version.Binary{Number: version.Number{Major: 1, Minor: 25, Patch: 1}, Series: "trusty", Arch: "amd64"}
	archive := tools.Tools{Version: to, Size: 1, SHA256: strings.Repeat("ab", 32)}
	ask := events.Ask{ID: "up", Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{To: archive.Version.Number, Artefacts: []tools.Tools{archive}}}
	return &events.OrderIssued{
		Order: "o1", Upgrade: "up", Machine: "3", From: version.Number{Major: 1, Minor: 25},
		Tools: archive, Expires: lawTime.Add(time.Hour), Warrant: warranted(t, "alice", ask, "3"),
	}
}

// New versions are not taken by metadata that has ended: nothing newer may be shown.
func TestTheLawEnds(t *testing.T) {
	order := upgradeOf3(t)
	for fresh, want := range map[time.Time]string{{}: "", lawTime.Add(time.Hour): "", lawTime: "tuf-expired"} {
		law := lawOf3()
		law.Fresh = fresh
		in, err := law.Input(said(t, 5, order, "state server"), order)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if f := in.(Ordered).Unlawful; f != nil {
			got = f.Code
		}
		if got != want {
			t.Errorf("until %v: %q, want %q", fresh, got, want)
		}
	}
}

// unit is one that alice asked for, with the request's id.
func unit(t *testing.T, name, id string, command ...string) events.UnitSpec {
	service, _, _ := strings.Cut(name, "/")
	ask := events.Ask{ID: id, Action: events.ActionDeploy, Deploy: &events.AskDeploy{
		Service: service, Machine: "3", Command: command, Restart: events.RestartNever,
	}}
	return events.UnitSpec{Unit: name, Machine: "3", Command: command, Restart: events.RestartNever, Warrant: warranted(t, "alice", ask, "3")}
}

// A state server gives a machine lists of units. Only those that somebody asked for run, each
// once; the others are told, and are not kept.
func TestTheLawOfUnits(t *testing.T) {
	a := testAgent(t, &fakeBus{})
	t.Cleanup(func() { a.units.end(false) })
	law := lawOf3()
	seq := uint64(0)
	give := func(by string, units ...events.UnitSpec) {
		t.Helper()
		seq++
		a.hear(t.Context(), law, said(t, seq, &events.UnitsAssigned{Machine: "3", Units: units}, by))
	}
	want := func(names, refusals string) {
		t.Helper()
		now, _ := a.units.kept()
		var got []string
		for _, u := range a.units.given.Units {
			got = append(got, u.Unit)
		}
		if len(now) != len(got) || strings.Join(got, " ") != names {
			t.Errorf("it has the units %v, want %q", got, names)
		}
		if codes := strings.Join(refusalsOf(t, a), " "); codes != refusals {
			t.Errorf("it refused %q, want %q", codes, refusals)
		}
	}
	sleep := []string{"/bin/sleep", "60"}
	web, forged := unit(t, "web/0", "q1", sleep...), unit(t, "web/1", "q2", sleep...)
	forged.Command = []string{"/bin/sh", "-c", "evil"}
	give("state server", web, forged)
	want("web/0", "not-asked")
	copied := web // the request of web/0, for one more unit
	copied.Unit = "web/2"
	give("state server", web, copied)
	want("web/0", "not-asked already-done")
	give("machine-3")
	want("web/0", "not-asked already-done order-signature")
	law.Now = lawTime.Add(8 * 24 * time.Hour) // what runs goes on when its request is over
	give("state server", web)
	want("web/0", "not-asked already-done order-signature")
	law.Now = lawTime.Add(time.Hour)
	give("state server")
	want("", "not-asked already-done order-signature")
	give("state server", web) // removed, and wanted back by nobody
	want("", "not-asked already-done order-signature already-done")
	raised, db := unit(t, "db/0", "q3", sleep...), unit(t, "db/1", "q4", sleep...)
	raised.User = "root" // nobody asked for that
	law.CanRun = func(u events.UnitSpec) error {
		return events.Refuse(codeNoSuchUser, "%s: there is no such user", u.Unit)
	}
	give("state server", raised, db)
	want("", "not-asked already-done order-signature already-done not-asked no-such-user")
	law.CanRun = nil
	give("state server", db) // what was refused so was not used
	want("db/1", "not-asked already-done order-signature already-done not-asked no-such-user")
}

// refusalsOf are the codes of what waits in the outbox.
func refusalsOf(t *testing.T, a *Agent) (codes []string) {
	t.Helper()
	for _, p := range waiting(t, a) {
		if r, ok := p.(*events.OrderRefused); ok {
			codes = append(codes, r.Code)
		}
	}
	return codes
}
