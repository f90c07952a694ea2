package decide

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/audit"
)

// ledger is a state server that decides, signs and folds as the writer does. Two environments may have
// the same people and keys, and only another UUID.
type ledger struct {
	testing.TB
	uuid  string
	state *projections.State
	recs  []events.Record
	now   time.Time
	ids   int
	asked uint64
	told  map[string]uint64 // reports of each machine
	root  ed25519.PrivateKey
	keys  []crypto.Signer // of the snapshot and the timestamp
	repo  *tuf.Repository
}

const theServer = "state server"

// opened is the log of a new environment.
func opened(t testing.TB, uuid string) *ledger {
	t.Helper()
	l := closed(t, uuid)
	l.begins(l.repo.Anchor().SHA256, l.published())
	return l
}

// closed is an environment without a log.
func closed(t testing.TB, uuid string) *ledger {
	t.Helper()
	l := &ledger{TB: t, uuid: uuid, state: projections.New(), now: judged, told: map[string]uint64{}, root: ed25519.NewKeyFromSeed(make([]byte, 32))}
	online := tuf.Online{}
	for i, k := range []*ed25519.PublicKey{&online.Snapshot, &online.Timestamp} {
		key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{byte(i + 1)}, 32))
		*k, l.keys = key.Public().(ed25519.PublicKey), append(l.keys, key)
	}
	roster := events.Roster{
		Operators: []events.Operator{
			grants("alice", events.RoleAdmin, nil), grants("bob", events.RoleApprove, nil), grants("dave", events.RoleOperate, map[string]string{"env": "dev"}),
		},
		StateServers: []string{testkey.Of(theServer).Public()}, Quorums: []events.Quorum{{Labels: map[string]string{"env": "dev"}, Operators: 2}},
	}
	var err error
	if l.repo, err = tuf.First(roster, nil, l.root, l.root, online, l.now); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *ledger) begins(root string, published *Publication) {
	l.Helper()
	d, err := Begin(l.at(), Genesis{
		UUID: l.uuid, Name: "prod", AgentVersion: bin("1.24.0").Number, Operators: []events.Operator{grants("alice", events.RoleAdmin, nil)},
		Settings: map[string]string{"upgrade-max-in-flight": "3"}, Root: root, Published: published,
		Machine: events.MachineEnrolled{Machine: "0", Key: l.key("0").Public(), Hostname: "h", Version: bin("1.24.0"), StateServer: true},
	})
	if err != nil {
		l.Fatal(err)
	}
	l.record(d)
}

func (l *ledger) at() At { return At{State: l.state, Now: l.now, NewID: l.newID} }

// key is that of a machine, which is made for one enrolment in one environment.
func (l *ledger) key(id string) testkey.Key { return testkey.Of("machine-" + id + " of " + l.uuid) }

func (l *ledger) newID() string { l.ids++; return fmt.Sprintf("id-%d", l.ids) }

// published is what the state server makes of the metadata that people have signed.
func (l *ledger) published() *Publication {
	l.Helper()
	if err := l.repo.Freshen(l.now, tuf.DefaultLives, l.keys...); err != nil {
		l.Fatal(err)
	}
	trusted, err := tuf.Open(l.repo.Anchor(), l.repo.Bundle(), l.now)
	if err != nil {
		l.Fatal(err)
	}
	return &Publication{Fact: trusted.Published(events.Object{SHA256: digest, Size: 1}), Bundle: l.repo.Bundle()}
}

// signed is a record for the next position, signed by somebody: nobody, if by is empty.
func (l *ledger) signed(by string, env events.Envelope, p events.Payload) events.Record {
	l.Helper()
	rec, err := events.New(env, p)
	if err == nil && by != "" {
		rec.Seq = l.state.Seq + 1
		rec, err = rec.Placed(l.uuid).Signed(testkey.Of(by))
	}
	if err != nil {
		l.Fatal(err)
	}
	return rec
}

// record folds a decision, with all checks, as everybody who reads the log does.
func (l *ledger) record(d Decision) {
	l.Helper()
	for _, f := range d.Facts {
		env := events.Envelope{ID: f.ID, Time: l.now, Actor: f.Actor, Causation: f.Cause, Correlation: f.Correlation}
		if env.ID == "" {
			env.ID = l.newID()
		}
		if env.Actor == "" {
			env.Actor = "state-server-0"
		}
		var rec events.Record
		if f.Report != nil {
			rec, _ = f.Report.As(env)
		} else {
			rec = l.signed(theServer, env, f.Payload)
		}
		rec.Seq = l.state.Seq + 1
		if why := l.state.Fold(rec); why != nil {
			l.Fatalf("%s at %d is not believed: %v", rec.Kind, rec.Seq, why)
		}
		if rec.Seq > 1 && l.state.SkippedCount() > 0 {
			l.Fatalf("%s at %d is skipped: %v", rec.Kind, rec.Seq, l.state.Skipped)
		}
		l.recs = append(l.recs, rec)
	}
}

// says records what the state server says of its own.
func (l *ledger) says(facts ...events.Payload) {
	l.Helper()
	for _, p := range facts {
		l.record(Decision{Facts: []Fact{{Payload: p}}})
	}
}

// tells records reports of a machine.
func (l *ledger) tells(id string, reports ...events.Report) {
	l.Helper()
	for _, p := range reports {
		l.told[id]++
		p.SetHead(events.ReportHead{Machine: id, Epoch: "e1", N: l.told[id]})
		rec, err := events.New(events.Envelope{ID: l.newID(), Time: l.now, Actor: "machine-" + id}, p)
		if err == nil {
			rec, err = rec.Signed(l.key(id))
		}
		if err != nil {
			l.Fatal(err)
		}
		if late, ok := p.(*events.ReportLate); ok { // that the order had ended, the state server says
			rec.Kind, rec.Data = late.Report, []byte(`{"machine":"`+id+`"}`)
			rec, _ = rec.Signed(l.key(id))
			late.Data, late.Key, late.Signature = rec.Data, rec.Key, rec.Signature
			l.says(late)
			continue
		}
		l.record(Decision{Facts: []Fact{{Actor: "machine-" + id, Report: &rec}}})
	}
}

// asks has a request judged, and says of which kinds the records are.
func (l *ledger) asks(who string, ask events.Ask, know Known) string {
	l.Helper()
	l.asked++
	ask.ID, ask.Environment, ask.Expires = fmt.Sprintf("q%d", l.asked), l.uuid, l.now.Add(time.Hour)
	if ask.ID == "" || ask.Created.IsZero() {
		lawful(l.TB, l.state, &ask)
	}
	ask.Created = l.now
	if know.Signed == nil {
		know.Signed = anything{}
	}
	data := signAs(l.TB, ask, who, events.SignedType(ask.Action))
	d, err := Requested(l.at(), ReadRequest(l.asked, ask.ID, testkey.Of(who).Public(), data), know)
	if err != nil {
		l.Fatal(err)
	}
	before := len(l.recs)
	l.record(d)
	return kindsOf(l.recs[before:])
}

func (l *ledger) enrols(id string) {
	l.Helper()
	r := wire.EnrolRequest{
		Environment: l.uuid, Machine: id, TokenKey: testkey.Of("token-" + id).Public(), Key: l.key(id).Public(),
		Hostname: "h" + id, Host: "host" + id, Version: bin("1.24.0").String(),
	}
	sealed, err := wire.SealEnrolment(r, testkey.Of("token-"+id), l.key(id))
	if err != nil {
		l.Fatal(err)
	}
	d, out := Enrol(l.at(), r, sealed)
	if out.Refused != nil {
		l.Fatal(out.Refused)
	}
	l.record(d)
}

var newTools = tools.Tools{Version: bin("1.24.1"), Size: 1, SHA256: digest}

// everything is a log in which each kind of record stands.
func everything(t *testing.T, uuid string) *ledger {
	t.Helper()
	l := opened(t, uuid)
	expect := func(got, want string) {
		t.Helper()
		if got != want {
			t.Fatalf("recorded %s\nwant     %s", got, want)
		}
	}
	expect(l.asks("alice", events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "patch"}}, Known{}),
		"request.received/1 setting.changed/1")
	expect(l.asks("alice", events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"nothing": "x"}}, Known{}), "request.received/1 request.refused/1")
	tokens := func(ids ...string) (keys []string) {
		for _, id := range ids {
			keys = append(keys, testkey.Of("token-"+id).Public())
		}
		return keys
	}
	expect(l.asks("alice", events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{
		TokenKeys: tokens("1", "2"), TTL: 3600, Labels: map[string]string{"env": "dev"},
	}}, Known{}), "request.received/1 machine.invited/1 machine.invited/1")
	expect(l.asks("alice", events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{TokenKeys: tokens("3", "4"), TTL: 3600, Approve: true}},
		Known{}), "request.received/1 machine.invited/1 machine.invited/1")
	l.says(&events.TokenGuessed{Machine: "1", Tries: 5, Until: l.now})
	l.enrols("1")
	l.enrols("2")
	l.enrols("3")
	expect(l.asks("alice", events.Ask{Action: events.ActionApproveMachine, ApproveMachine: "3"}, Known{}), "request.received/1 machine.approved/1")
	l.says(&events.MachineRenewed{Machine: "3", Generation: 1, Nonce: "n"}, &events.MachineQuarantined{Machine: "3", Code: events.CodeClone, Text: "two"},
		&events.MachineLost{Machine: "2"}, &events.MachineReturned{Machine: "2"})
	expect(l.asks("alice", events.Ask{Action: events.ActionRemoveMachine, RemoveMachine: "3"}, Known{}), "request.received/1 machine.removed/1")
	for _, id := range []string{"0", "1", "2"} {
		l.tells(id, &events.AgentStarted{Version: bin("1.24.0"), PID: 1})
	}

	web := events.AskDeploy{Service: "web", Machine: "1", Command: []string{"serve"}, Restart: events.RestartAlways}
	expect(l.asks("dave", events.Ask{Action: events.ActionDeploy, Deploy: &web}, Known{}), "request.pending/1")
	expect(l.approves(), "request.approved/1 unit.added/1 units.assigned/1")
	expect(l.asks("alice", events.Ask{Action: events.ActionAddUnit, AddUnit: &events.AskAddUnit{Service: "web", Machine: "2"}}, Known{}), "request.pending/1")
	expect(l.approves(), "request.approved/1 unit.added/1 units.assigned/1")
	l.tells("1", &events.UnitStateChanged{Unit: "web/0", State: events.UnitStarted, Version: bin("1.24.0").Number})
	expect(l.asks("alice", events.Ask{Action: events.ActionRemoveUnit, RemoveUnit: "web/1"}, Known{}), "request.received/1 unit.removed/1 units.assigned/1")

	l.says(&events.SourceLost{Source: "https://x", Reason: "no route"}, &events.SourceReturned{Source: "https://x"})
	sync := &events.AskSyncTools{Source: "/srv", Unsigned: true, Wanted: []version.Binary{newTools.Version}, Marks: []tools.Marked{
		{Version: bin("1.23.0").Number, Marks: tools.Marks{Revoked: "eats data"}},
	}}
	expect(l.asks("alice", events.Ask{Action: events.ActionSyncTools, SyncTools: sync}, Known{}), "tools.sync_requested/1 tools.marked/1")
	stored, err := Stored(l.at(), nil, events.ToolsStored{Tools: newTools, Source: "/srv", Unsigned: true}, fmt.Sprintf("q%d", l.asked))
	if err != nil {
		t.Fatal(err)
	}
	l.record(stored)
	if err := l.repo.SetTools(l.now.Add(tuf.TargetsLife), newTools); err != nil {
		t.Fatal(err)
	}
	if _, err := l.repo.Sign(tuf.Targets, l.root); err != nil {
		t.Fatal(err)
	}
	expect(l.asks("alice", events.Ask{Action: events.ActionTrust, Trust: &events.AskTrust{Bundle: events.Object{SHA256: digest, Size: 1}}},
		Known{Publication: l.published()}), "request.received/1 trust.signed/1 trust.published/1")
	l.now = l.now.Add(time.Hour)
	l.record(Published(l.at(), l.published()))

	up := &events.AskUpgrade{To: newTools.Version.Number, Client: newTools.Version.Number, Artefacts: []tools.Tools{newTools}}
	expect(l.asks("alice", events.Ask{Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{To: bin("1.20.0").Number}}, Known{}),
		"upgrade.requested/1 upgrade.refused/1")
	expect(l.asks("alice", events.Ask{Action: events.ActionUpgrade, Upgrade: up}, Known{}), "upgrade.requested/1 upgrade.pending/1")
	expect(l.approves(), "upgrade.approved/1 upgrade.accepted/1")
	l.says(&events.ToolsMissed{Tools: newTools, Reason: "busy"})
	l.record(Plan(l.at(), Outlook{Committed: l.state.Seq, Warrants: &Warrants{}}))
	order := l.state.Orders["0"]
	if order == nil {
		t.Fatal("machine 0 is not ordered to upgrade")
	}
	of := func(p events.OrderReport) events.Report {
		b, _ := json.Marshal(map[string]string{"order": order.ID})
		_ = json.Unmarshal(b, p)
		return p
	}
	l.tells("0", of(&events.AgentDownloading{Percent: 1}), of(&events.AgentStaged{}), of(&events.AgentRestarting{From: bin("1.24.0").Number, To: up.To}),
		of(&events.AgentStepping{Release: up.To, Step: "s", Error: "busy"}), of(&events.AgentUpgraded{Version: newTools.Version}),
		&events.OrderRefused{Record: "x", Code: "c", Text: "t"}, &events.TrustRefused{Bundle: digest, Code: "c", Text: "t"},
		&events.TrustStale{Timestamp: 1, Ends: l.now}, &events.ReportLate{Order: order.ID, Report: "agent.upgraded/1"})
	l.record(Plan(l.at(), Outlook{Committed: l.state.Seq, Warrants: &Warrants{}}))
	failure := events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "trial-exited", Text: "no"}
	order = l.state.Orders["1"]
	l.tells("1", of(&events.AgentRolledBack{Version: bin("1.24.0"), Failure: failure}))
	order = l.state.Orders["2"]
	l.tells("2", of(&events.AgentUpgradeFailed{Failure: failure}))
	l.record(Plan(l.at(), Outlook{Committed: l.state.Seq, Warrants: &Warrants{}}))

	again := *up
	again.Reset = true
	expect(l.asks("alice", events.Ask{Action: events.ActionUpgrade, Upgrade: &again}, Known{}), "upgrade.requested/1 upgrade.pending/1")
	expect(l.approves(), "upgrade.approved/1 upgrade.aborted/1 upgrade.accepted/1")
	expect(l.asks("alice", events.Ask{Action: events.ActionResolved, Resolved: "0"}, Known{}), "request.received/1 machine.resolved/1")
	expect(l.asks("alice", events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: []string{"machine-0"}}}, Known{}),
		"restart.requested/1 restart.ordered/1")
	order = l.state.Orders["0"]
	l.tells("0", of(&events.RestartDone{PID: 2}))
	l.says(&events.OrderSuperseded{Order: "o", Machine: "1", Reason: "r"}, &events.OrderTimedOut{Order: "o", Machine: "1"},
		&events.UpgradeCompleted{Upgrade: l.state.Upgrade.ID, Version: up.To}, &events.SnapshotTaken{Seq: 1, Digest: "d", Schema: 1})
	return l
}

// approves lets bob agree to the one request that waits.
func (l *ledger) approves() string {
	l.Helper()
	for id, w := range l.state.Pending {
		return l.asks("bob", events.Ask{Action: events.ActionApprove, Approve: &events.AskApprove{Request: id, SHA256: warrant.Digest(w.Request.Signed)}}, Known{})
	}
	return "nothing waits"
}

// forgery is a record that somebody writes behind the log of everything.
type forgery struct {
	name string
	rec  events.Record
}

// B05, B16: somebody who has the credentials of NATS, or the state server's whole disk, writes into the log.
// Whatever he copies, alters or makes up, in the name of whomever he likes, it changes nothing but what a
// state server may say of its own, and everybody who reads the log counts it.
func TestB05NobodyBelievesAForgedRecord(t *testing.T) {
	l, other := everything(t, "env"), everything(t, "env2")
	kinds := map[string]bool{}
	for i, rec := range l.recs {
		kinds[rec.Kind] = true
		for _, f := range l.forgeries(rec, other.recs[i]) {
			s := l.state.Clone()
			f.rec.Seq = s.Seq + 1
			why := s.Fold(f.rec)
			if why == nil {
				t.Errorf("%s, %s: it is believed", f.name, rec.Kind)
				continue
			}
			if s.Disbelieved[rec.Kind] != 1 || s.DisbelievedCount() != 1 {
				t.Errorf("%s, %s: counted are %v", f.name, rec.Kind, s.Disbelieved)
			}
			if d := changed(l.state, s); d != "" {
				t.Errorf("%s, %s: %s changes, although: %v", f.name, rec.Kind, d, why)
			}
		}
	}
	for _, kind := range events.Kinds() {
		if !kinds[kind] {
			t.Errorf("no %s stands in the log of this test", kind)
		}
	}
}

// forgeries of a genuine record; twin is the same record of another environment with the same keys.
func (l *ledger) forgeries(rec, twin events.Record) []forgery {
	l.Helper()
	payload, err := events.Decode(rec)
	if err != nil {
		l.Fatal(err)
	}
	env := rec.Envelope
	env.ID, env.Time, env.Key, env.Signature = "forged", l.now, "", ""
	_, report := payload.(events.Report)
	own := slices.Contains(ownWord, rec.Kind)
	if rec.Kind == "trust.signed/1" {
		return nil // it says nothing before the publication that it proves
	}
	list := []forgery{{"once more", rec}, {"of another environment", twin}, {"signed by nobody", l.signed("", env, payload)}}
	if !report {
		list = append(list, forgery{"signed by a stranger", l.signed("mallory", env, payload)}, forgery{"signed by a machine", l.signed("machine-1", env, payload)})
	}
	if late, ok := payload.(*events.ReportLate); ok {
		bad := *late
		bad.Data = []byte(`{"machine":"1","x":1}`)
		list = append(list, forgery{"with another report", l.signed(theServer, env, &bad)})
	}
	if own || report {
		return list
	}
	list = append(list, forgery{"signed with the state server's key", l.signed(theServer, env, payload)})
	// And right behind the genuine request that is the newest one.
	last := l.recs[len(l.recs)-1]
	for _, r := range l.recs {
		if p, err := events.Decode(r); err == nil {
			if _, asked := p.(interface{ Asked() events.Request }); asked {
				last = r
			}
		}
	}
	env.Causation = last.ID
	return append(list, forgery{"in the name of another request", l.signed(theServer, env, payload)})
}

// ownWord are the kinds that whoever has the state server's key can say: they are about how a request is
// carried out, and let no machine do anything.
var ownWord = strings.Fields(`snapshot.taken/1 request.refused/1 machine.token_guessed/1 machine.quarantined/1 machine.renewed/1 machine.lost/1
	machine.returned/1 units.assigned/1 tools.missed/1 tools.source_lost/1 tools.source_returned/1 upgrade.refused/1 upgrade.halted/1
	order.superseded/1 order.timed_out/1 tools.stored/1`)

// changed names what differs between two states beside what each record changes.
func changed(before, after *projections.State) string {
	fields := func(s *projections.State) map[string]json.RawMessage {
		var m map[string]json.RawMessage
		b, _ := json.Marshal(s)
		_ = json.Unmarshal(b, &m)
		for _, f := range []string{"seq", "time", "disbelieved", "asking", "parts"} {
			delete(m, f)
		}
		return m
	}
	a, b := fields(before), fields(after)
	for _, name := range sortedKeys(b) {
		if !bytes.Equal(a[name], b[name]) {
			return name
		}
	}
	return ""
}

// A log from before facts had to be proven is believed as it lies, until the metadata is published with all
// its documents. From there on it is like every other one, for whoever folds it from its start, too.
func TestALogOfBeforeIsProvenFromItsNextPublicationOn(t *testing.T) {
	l := closed(t, "env")
	before := l.published()
	before.Bundle = tuf.Bundle{} // no documents come with it
	l.begins("", before)
	l.says(&events.SettingChanged{Key: "upgrade-policy", Value: "patch"})
	if l.state.Root != "" || l.state.Settings["upgrade-policy"] != "patch" {
		t.Fatalf("at %d: root %q, settings %v", l.state.Seq, l.state.Root, l.state.Settings)
	}
	for _, pin := range []string{"", l.repo.Anchor().SHA256, strings.Repeat("0", 64)} {
		s := projections.New()
		s.Pin(pin)
		for _, r := range l.recs {
			s.Fold(r)
		}
		reader := *l
		reader.state = s
		news := (&Publication{Fact: l.published().Fact, Bundle: l.repo.Bundle()}).payloads(s)
		for i, p := range append(news, &events.SettingChanged{Key: "upgrade-policy", Value: "any"}) {
			rec := reader.signed(theServer, events.Envelope{ID: fmt.Sprint("s", i), Time: l.now, Actor: "state-server-0"}, p)
			rec.Seq = s.Seq + 1
			s.Fold(rec)
		}
		foreign := pin == strings.Repeat("0", 64)
		if got, want := s.Settings["upgrade-policy"], map[bool]string{true: "any", false: "patch"}[foreign]; got != want {
			t.Errorf("pinned %.4q: upgrade-policy is %q, want %q", pin, got, want)
		}
		if s.Root != map[bool]string{true: "", false: l.repo.Anchor().SHA256}[foreign] || s.Settings["upgrade-max-in-flight"] != "3" {
			t.Errorf("pinned %.4q: root %q, settings %v", pin, s.Root, s.Settings)
		}
	}
}

// What proving costs: a report whose signature is checked, beside the same report for whoever has checked it,
// and a publication that brings a new timestamp.
func BenchmarkBelieve(b *testing.B) {
	l := opened(b, "env")
	var reports []events.Record
	for i := range 500 {
		rec, err := events.New(events.Envelope{ID: l.newID(), Time: l.now, Actor: "machine-0"}, &events.AgentStarted{
			ReportHead: events.ReportHead{Machine: "0", Epoch: "e1", N: uint64(i + 1)}, Version: bin("1.24.0"),
		})
		if err == nil {
			rec, err = rec.Signed(l.key("0"))
		}
		if err != nil {
			b.Fatal(err)
		}
		rec.Seq = l.state.Seq + uint64(i) + 1
		reports = append(reports, rec)
	}
	for name, fold := range map[string]func(*projections.State, events.Record) *events.Reason{
		"checked": (*projections.State).Fold, "own": (*projections.State).Decided,
	} {
		b.Run(name, func(b *testing.B) {
			for n := 0; n < b.N; {
				s := l.state.Clone()
				for _, r := range reports[:min(len(reports), b.N-n)] {
					if why := fold(s, r); why != nil {
						b.Fatal(why)
					}
				}
				n += len(reports)
			}
		})
	}
	b.Run("timestamp", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			l.now = l.now.Add(time.Hour)
			d := Published(l.at(), l.published())
			b.StartTimer()
			l.record(d)
		}
	})
}

// B16: whoever audits the log finds each record that nobody believes, and a log without any is whole.
func TestB16AuditDemandsASignedCause(t *testing.T) {
	l := opened(t, "env")
	l.asks("alice", events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "patch"}}, Known{})
	verify := func(extra ...events.Payload) string {
		v := audit.NewVerifier()
		for _, r := range l.recs {
			v.Fold(r, nil)
		}
		for i, p := range extra {
			rec := l.signed("", events.Envelope{ID: "x", Time: l.now, Actor: "state-server-0"}, p)
			rec.Seq = uint64(len(l.recs) + i + 1)
			v.Fold(rec, nil)
		}
		var found []string
		for _, f := range v.Findings {
			found = append(found, fmt.Sprint(f.Seq, " ", f.Code))
		}
		return strings.Join(found, ", ")
	}
	if found := verify(); found != "" {
		t.Errorf("in a log as it must be: %s", found)
	}
	unit := events.UnitSpec{Unit: "evil/0", Machine: "0", Command: []string{"x"}, Restart: events.RestartAlways}
	end := uint64(len(l.recs))
	want := fmt.Sprintf("%d no-cause, %d no-cause, %d no-cause", end+1, end+2, end+3)
	if found := verify(&events.SettingChanged{Key: "tools-source", Value: "http://evil"}, &events.UnitAdded{UnitSpec: unit}, &l.published().Fact); found != want {
		t.Errorf("found %q, want %q", found, want)
	}
}

// B03: whoever has the state server writes into the log that one operator's request was enough. Nobody
// who reads the log believes that where two must agree.
func TestB03NobodyBelievesThatOneIsEnough(t *testing.T) {
	l := opened(t, "env")
	for i, c := range []struct {
		key, value string
		want       string // code
	}{{"upgrade-policy", "patch", ""}, {"enrol-policy", "approve", "no-cause"}} {
		id := fmt.Sprint("r", i)
		ask := events.Ask{
			ID: id, Environment: "env", Action: events.ActionSetEnv, Created: l.now, Expires: l.now.Add(time.Minute), SetEnv: map[string]string{c.key: c.value},
		}
		request := events.Request{ID: id, Action: ask.Action, Operator: "alice", Created: l.now, Signed: signAs(t, ask, "alice", events.RequestType)}
		first := l.signed(theServer, events.Envelope{
			ID: "first-" + id, Time: l.now, Actor: "operator-alice", Causation: causeOfRequest(uint64(i + 1)), Correlation: id,
		}, &events.RequestReceived{Request: request})
		if why := l.state.Fold(first); why != nil {
			t.Fatal(why)
		}
		why := l.state.Fold(l.signed(theServer, events.Envelope{ID: "then-" + id, Time: l.now, Actor: "state-server-0", Causation: first.ID, Correlation: id},
			&events.SettingChanged{Key: c.key, Value: c.value}))
		got := ""
		if why != nil {
			got = why.Code
		}
		if got != c.want || (l.state.Settings[c.key] == c.value) != (c.want == "") {
			t.Errorf("%s: %v, want %q; it is %q", c.key, why, c.want, l.state.Settings[c.key])
		}
	}
}
