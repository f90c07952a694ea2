package warrant_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
)

var (
	asked = time.Date(2015, 9, 15, 12, 0, 0, 0, time.UTC)
	prod  = map[string]string{"env": "prod"}
	dev   = map[string]string{"env": "dev"}
)

func number(patch int) version.Number { return version.Number{Major: 1, Minor: 25, Patch: patch} }

func archive(patch int, digest string) tools.Tools {
	return tools.Tools{Version: version.Binary{Number: number(patch), Series: "trusty", Arch: "amd64"}, Size: 9, SHA256: strings.Repeat(digest, 32)}
}

// believed is signed metadata without its signatures.
type believed struct {
	roster  events.Roster
	floor   version.Number
	revoked events.Revoked
	signed  map[string]tools.Tools // by file name
}

func (b believed) Roster() events.Roster   { return b.roster }
func (b believed) Floor() version.Number   { return b.floor }
func (b believed) Revoked() events.Revoked { return b.revoked }
func (b believed) Tools(want tools.Tools) error {
	switch have, ok := b.signed[want.FileName()]; {
	case !ok:
		return &events.Reason{Code: events.CodeTargetUnknown, Text: want.FileName()}
	case have != want:
		return &events.Reason{Code: events.CodeDigestDisagree, Text: want.FileName()}
	}
	return nil
}

// world is a lawful order for machine 3, and everything that makes it so.
type world struct {
	t       testing.TB
	trust   believed
	machine warrant.Machine
	list    []warrant.Machine
	ask     events.Ask
	signer  string
	kind    string // type of the signature
	edit    func(*events.Signed)
	agree   []events.Ask // approvals; who signs each of them is in who
	who     []string
	order   events.OrderIssued
	server  string // who signs the order
	now     time.Time
	fresh   time.Time // when the metadata ends; zero: never
	runs    version.Number
}

func member(id string, labels map[string]string) warrant.Machine {
	return warrant.Machine{ID: id, Key: testkey.Of("machine-" + id).Public(), Labels: labels}
}

func operator(name, role string, labels map[string]string) events.Operator {
	return events.Operator{Name: name, Key: testkey.Of(name).Public(), Grants: []events.Grant{{Role: role, Labels: labels}}}
}

func newWorld(t testing.TB) *world {
	wanted := archive(1, "ab")
	w := &world{t: t, machine: member("3", prod), signer: "alice", kind: events.RequestType, server: "state server", now: asked.Add(time.Minute), runs: number(0)}
	w.trust = believed{
		roster: events.Roster{
			Operators: []events.Operator{
				operator("alice", events.RoleOperate, nil), operator("dave", events.RoleOperate, dev),
				operator("bob", events.RoleApprove, nil), operator("carol", events.RoleApprove, nil), operator("rita", events.RoleRead, nil),
			},
			StateServers: []string{testkey.Of("state server").Public()},
		},
		signed: map[string]tools.Tools{wanted.FileName(): wanted},
	}
	w.list = []warrant.Machine{member("0", dev), member("1", dev), w.machine, member("4", prod), member("5", prod)}
	w.ask = events.Ask{
		ID: "r1", Environment: "env", Action: events.ActionUpgrade, Created: asked, Expires: asked.Add(10 * time.Minute), Until: asked.Add(events.MaxRequestLife),
		Upgrade: &events.AskUpgrade{To: number(1), Client: number(1), Artefacts: []tools.Tools{wanted}},
	}
	w.order = events.OrderIssued{Order: "o1", Upgrade: "r1", Machine: "3", From: number(0), Tools: wanted, Expires: asked.Add(time.Hour)}
	return w
}

// quorum asks for two operators over production.
func (w *world) quorum() { w.trust.roster.Quorums = []events.Quorum{{Labels: prod, Operators: 2}} }

func sign(t testing.TB, ask events.Ask, by, kind string, edit func(*events.Signed)) []byte {
	t.Helper()
	statement, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	signature, _ := testkey.Of(by).Sign(events.PAE(kind, statement))
	s := events.Signed{Statement: statement, Key: testkey.Of(by).Public(), Signature: signature}
	if edit != nil {
		edit(&s)
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// approve lets somebody agree to the request with this digest; empty: to the one that is asked.
func (w *world) approve(who, sha256 string) {
	w.who = append(w.who, who)
	w.agree = append(w.agree, events.Ask{
		ID: "a" + fmt.Sprint(len(w.agree)), Environment: "env", Action: events.ActionApprove, Created: asked, Expires: asked.Add(time.Hour),
		Approve: &events.AskApprove{Request: w.ask.ID, SHA256: sha256},
	})
}

// make gives the warrant that the state server would make.
func (w *world) make() events.Warrant {
	w.t.Helper()
	list, err := warrant.NewList(w.list)
	if err != nil {
		w.t.Fatal(err)
	}
	if w.ask.Machines, err = list.Signed(); err != nil {
		w.t.Fatal(err)
	}
	made := events.Warrant{Request: sign(w.t, w.ask, w.signer, w.kind, w.edit)}
	if proven, err := list.Prove(made, w.machine.ID); err == nil {
		made = proven
	}
	for i, ask := range w.agree {
		if ask.Approve.SHA256 == "" {
			ask.Approve.SHA256 = warrant.Digest(made.Request)
		}
		made.Approvals = append(made.Approvals, sign(w.t, ask, w.who[i], events.ApprovalType, nil))
	}
	return made
}

// check lets the machine check the order.
func (w *world) check(made events.Warrant) error {
	w.t.Helper()
	w.order.Warrant = made
	rec, err := events.New(events.Envelope{ID: "r", Time: w.now, Actor: "state-server-0"}, &w.order)
	if err == nil {
		rec, err = rec.Signed(testkey.Of(w.server))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.reader()
	if err := r.Server(rec); err != nil {
		return err
	}
	_, err = r.Order(w.order, w.machine, w.runs)
	return err
}

func (w *world) reader() warrant.Reader {
	return warrant.Reader{Environment: "env", Trust: w.trust, Now: w.now, Fresh: w.fresh}
}

// Each row breaks one thing in a lawful order and names the code that the machine refuses
// it with; "" is lawful.
func TestAttacksOnOrders(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(w *world)
		made func(w *world, m *events.Warrant)
		want string
	}{
		"lawful":                                 {},
		"BI-41 forged by the state server":       {edit: func(w *world) { w.signer = "state server" }, want: events.CodeRequestOperator},
		"BI-41 forged under the operator's name": {edit: func(w *world) { w.signer = "state server"; w.edit = named("alice") }, want: events.CodeRequestSignature},
		"BI-41 a word changed after the signing": {edit: func(w *world) {
			w.edit = func(s *events.Signed) { s.Statement = replaced(s.Statement, "1.25.1", "1.25.2") }
		}, want: events.CodeRequestSignature},
		"BI-41 no request at all":               {made: func(_ *world, m *events.Warrant) { m.Request = nil }, want: events.CodeRequestSignature},
		"BI-42 a key that is not on the roster": {edit: func(w *world) { w.signer = "mallory" }, want: events.CodeRequestOperator},
		"BI-42 an operator who was removed":     {edit: func(w *world) { w.trust.roster.Operators = w.trust.roster.Operators[1:] }, want: events.CodeRequestOperator},
		"BI-42 a key that was revoked": {
			edit: func(w *world) { w.trust.revoked.Keys = []string{testkey.Of("alice").Public()} },
			want: events.CodeRequestOperator,
		},
		"BI-43 dev operator, prod machine":   {edit: func(w *world) { w.signer = "dave" }, want: events.CodeRequestScope},
		"BI-43 a reader asks":                {edit: func(w *world) { w.signer = "rita" }, want: events.CodeRequestScope},
		"BI-43 in his scope":                 {edit: func(w *world) { w.signer, w.machine, w.order.Machine = "dave", w.list[1], "1" }},
		"BI-44 one of two":                   {edit: func(w *world) { w.quorum() }, want: events.CodeRequestQuorum},
		"BI-44 two of two":                   {edit: func(w *world) { w.quorum(); w.approve("bob", "") }},
		"BI-44 not where no quorum is asked": {edit: func(w *world) { w.quorum(); w.machine, w.order.Machine = w.list[1], "1" }},
		"BI-44 by who may not approve":       {edit: func(w *world) { w.quorum(); w.approve("rita", "") }, want: events.CodeRequestQuorum},
		"BI-44 by who is not on the roster":  {edit: func(w *world) { w.quorum(); w.approve("mallory", "") }, want: events.CodeRequestQuorum},
		"BI-45 the same operator twice": {edit: func(w *world) {
			w.trust.roster.Quorums = []events.Quorum{{Operators: 3}}
			w.approve("bob", "")
			w.approve("bob", "")
		}, want: events.CodeRequestQuorum},
		"BI-45 two others": {edit: func(w *world) {
			w.trust.roster.Quorums = []events.Quorum{{Operators: 3}}
			w.approve("bob", "")
			w.approve("carol", "")
		}},
		"BI-45 who asked approves himself": {edit: func(w *world) {
			w.quorum()
			w.trust.roster.Operators[0].Grants[0].Role = events.RoleAdmin
			w.approve("alice", "")
		}, want: events.CodeRequestQuorum},
		"BI-46 approval for other bytes": {edit: func(w *world) { w.quorum(); w.approve("bob", strings.Repeat("cd", 32)) }, want: events.CodeRequestQuorum},
		"BI-46 approval for another id": {
			edit: func(w *world) { w.quorum(); w.approve("bob", ""); w.agree[0].Approve.Request = "r2" },
			want: events.CodeRequestQuorum,
		},
		"BI-48 after its time": {edit: func(w *world) { w.now = asked.Add(8 * 24 * time.Hour) }, want: events.CodeRequestExpired},
		"BI-48 a life longer than any may have": {
			edit: func(w *world) { w.ask.Until = asked.Add(365 * 24 * time.Hour); w.now = asked.Add(8 * 24 * time.Hour) },
			want: events.CodeRequestExpired,
		},
		"BI-48 no time at all":                   {edit: func(w *world) { w.ask.Until = time.Time{} }, want: events.CodeRequestExpired},
		"BI-48 signed in the future":             {edit: func(w *world) { w.now = asked.Add(-2 * time.Hour) }, want: events.CodeRequestExpired},
		"BI-49 a version that nobody signed":     {edit: func(w *world) { w.other(archive(2, "ab")) }, want: events.CodeTargetUnknown},
		"BI-50 another digest than the metadata": {edit: func(w *world) { w.other(archive(1, "cd")) }, want: events.CodeDigestDisagree},
		"BI-50 another digest than the request": {
			edit: func(w *world) { w.signs(archive(1, "cd")); w.order.Tools = archive(1, "cd") },
			want: events.CodeDigestDisagree,
		},
		"BI-50 another version than the request": {
			edit: func(w *world) { w.signs(archive(2, "ab")); w.order.Tools = archive(2, "ab") },
			want: events.CodeDigestDisagree,
		},
		"BI-51 a machine that is not in the list": {edit: func(w *world) { w.list = w.list[:2] }, want: events.CodeNotInRequest},
		"BI-51 another key than in the list":      {edit: func(w *world) { w.machine.Key = testkey.Of("a new disk").Public() }, want: events.CodeNotInRequest},
		"BI-51 the proof of another machine":      {made: func(w *world, m *events.Warrant) { m.Index = 1 }, want: events.CodeNotInRequest},
		"BI-51 a proof cut short":                 {made: func(w *world, m *events.Warrant) { m.Proof = m.Proof[1:] }, want: events.CodeNotInRequest},
		"BI-51 a hash of another length":          {made: func(w *world, m *events.Warrant) { m.Proof[0] = m.Proof[0][1:] }, want: events.CodeNotInRequest},
		"BI-51 no list": {made: func(w *world, m *events.Warrant) {
			w.ask.Machines = nil
			m.Request = sign(w.t, w.ask, "alice", events.RequestType, nil)
		}, want: events.CodeNotInRequest},
		"BI-52 addressed to another machine": {edit: func(w *world) { w.order.Machine = "4" }, want: events.CodeNotForMe},
		"BI-55 older, and no rollback":       {edit: func(w *world) { w.runs = number(2) }, want: events.CodeFloor},
		"BI-55 older, as asked":              {edit: func(w *world) { w.runs = number(2); w.ask.Upgrade.Rollback = true }},
		"BI-56 below the floor, even so": {
			edit: func(w *world) { w.runs = number(3); w.trust.floor = number(2); w.ask.Upgrade.Rollback = true },
			want: events.CodeFloor,
		},
		"BI-60 an approval as the request":   {edit: func(w *world) { w.kind = events.ApprovalType }, want: events.CodeRequestSignature},
		"BI-60 the statement of an approval": {edit: func(w *world) { w.ask.Action = events.ActionApprove }, want: events.CodeRequestSignature},
		"BI-60 a request as the approval": {edit: func(w *world) { w.quorum() }, made: func(w *world, m *events.Warrant) {
			m.Approvals = [][]byte{sign(w.t, w.ask, "bob", events.RequestType, nil)}
		}, want: events.CodeRequestQuorum},
		"B08 by metadata that holds":     {edit: func(w *world) { w.fresh = w.now.Add(time.Second) }},
		"B08 by metadata that has ended": {edit: func(w *world) { w.fresh = w.now }, want: events.CodeTUFExpired},
		"B28 the action twice":           {made: resigned(`"action"`, `"action":"restart-agent","action"`), want: events.CodeRequestSignature},
		"B28 the action in two cases":    {made: resigned(`"action"`, `"Action":"restart-agent","action"`), want: events.CodeRequestSignature},
		"B28 the action in another case": {made: resigned(`"action"`, `"ACTION"`), want: events.CodeRequestSignature},
		"B28 a field below twice":        {made: resigned(`"sha256"`, `"sha256":"","sha256"`), want: events.CodeRequestSignature},
		"B28 the reset with a long s":    {made: resigned(`"client"`, `"reſet":true,"client"`), want: events.CodeRequestSignature},
		"B28 bytes that are no UTF-8":    {made: resigned(`"id":"r1"`, "\"id\":\"r1\xff\""), want: events.CodeRequestSignature},
		"B28 two keys around it": {made: func(_ *world, m *events.Warrant) {
			m.Request = replaced(m.Request, `"key"`, `"Key":"x","key"`)
		}, want: events.CodeRequestSignature},
		"another environment's request":        {edit: func(w *world) { w.ask.Environment = "other" }, want: events.CodeOtherEnvironment},
		"a request that was taken back":        {edit: func(w *world) { w.trust.revoked.Requests = []string{"r1"} }, want: events.CodeRequestRevoked},
		"a request of another upgrade":         {edit: func(w *world) { w.order.Upgrade = "r2" }, want: events.CodeNotAsked},
		"a request for a restart":              {edit: func(w *world) { w.ask.Action = events.ActionRestart }, want: events.CodeNotAsked},
		"an order that no state server signed": {edit: func(w *world) { w.server = "mallory" }, want: events.CodeOrderSignature},
		"a state server that was revoked":      {edit: func(w *world) { w.trust.revoked.Keys = w.trust.roster.StateServers }, want: events.CodeOrderSignature},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if c.edit != nil {
				c.edit(w)
			}
			made := w.make()
			if c.made != nil {
				c.made(w, &made)
			}
			err := w.check(made)
			if got := events.CodeOf(err); got != c.want || (err != nil && c.want == "") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// other changes the archive that is asked for and ordered; release managers have signed another one.
func (w *world) other(t tools.Tools) {
	w.ask.Upgrade.Artefacts, w.ask.Upgrade.To, w.order.Tools = []tools.Tools{t}, t.Version.Number, t
}

// resigned changes the statement of a request, and its author signs what then stands there.
func resigned(before, after string) func(*world, *events.Warrant) {
	return func(w *world, m *events.Warrant) {
		w.t.Helper()
		var s events.Signed
		if err := json.Unmarshal(m.Request, &s); err != nil {
			w.t.Fatal(err)
		}
		changed := strings.Replace(string(s.Statement), before, after, 1)
		if changed == string(s.Statement) {
			w.t.Fatalf("there is no %s in %s", before, s.Statement)
		}
		s.Statement = []byte(changed)
		s.Signature, _ = testkey.Of(w.signer).Sign(events.PAE(w.kind, s.Statement))
		var err error
		if m.Request, err = json.Marshal(s); err != nil {
			w.t.Fatal(err)
		}
	}
}

// signs lets release managers sign another archive.
func (w *world) signs(t tools.Tools) { w.trust.signed = map[string]tools.Tools{t.FileName(): t} }

func named(who string) func(*events.Signed) {
	return func(s *events.Signed) { s.Key = testkey.Of(who).Public() }
}

func replaced(b []byte, before, after string) []byte {
	return []byte(strings.ReplaceAll(string(b), before, after))
}

// Each row is a unit that a state server wants to run; the operator asked for web with the
// command "serve" on machine 3.
func TestAttacksOnUnits(t *testing.T) {
	for name, c := range map[string]struct {
		unit func(*events.UnitSpec)
		edit func(*world)
		want string
	}{
		"lawful":                          {},
		"a command that nobody asked for": {unit: func(u *events.UnitSpec) { u.Command = []string{"rm", "-rf", "/"} }, want: events.CodeNotAsked},
		"one argument more":               {unit: func(u *events.UnitSpec) { u.Command = append(u.Command, "--evil") }, want: events.CodeNotAsked},
		"another environment variable":    {unit: func(u *events.UnitSpec) { u.Env = map[string]string{"LD_PRELOAD": "/tmp/x"} }, want: events.CodeNotAsked},
		"another restart policy":          {unit: func(u *events.UnitSpec) { u.Restart = events.RestartNever }, want: events.CodeNotAsked},
		"another user":                    {unit: func(u *events.UnitSpec) { u.User = "root" }, want: events.CodeNotAsked},
		"without its user":                {edit: func(w *world) { w.ask.Deploy.User = events.UserOwn }, want: events.CodeNotAsked},
		"with its user":                   {edit: func(w *world) { w.ask.Deploy.User = "www" }, unit: func(u *events.UnitSpec) { u.User = "www" }},
		"other secrets": {
			edit: func(w *world) { w.ask.Deploy.Secrets = &events.Secrets{Names: []string{"A"}, Box: []byte{1}} },
			unit: func(u *events.UnitSpec) { u.Secrets = &events.Secrets{Names: []string{"A"}, Box: []byte{2}} }, want: events.CodeNotAsked,
		},
		"without its secrets": {
			edit: func(w *world) { w.ask.Deploy.Secrets = &events.Secrets{Names: []string{"A"}, Box: []byte{1}} }, want: events.CodeNotAsked,
		},
		"another service":                  {unit: func(u *events.UnitSpec) { u.Unit = "db/0" }, want: events.CodeNotAsked},
		"BI-52 a unit of machine 4":        {unit: func(u *events.UnitSpec) { u.Machine = "4" }, want: events.CodeNotForMe},
		"BI-51 asked for another machine":  {edit: func(w *world) { w.list = w.list[:2] }, want: events.CodeNotInRequest},
		"BI-41 signed by the state server": {edit: func(w *world) { w.signer = "state server" }, want: events.CodeRequestOperator},
		"B08 by metadata that holds":       {edit: func(w *world) { w.fresh = w.now.Add(time.Second) }},
		"B08 by metadata that has ended":   {edit: func(w *world) { w.fresh = w.now }, want: events.CodeTUFExpired},
		"BI-43 out of his scope":           {edit: func(w *world) { w.signer = "dave" }, want: events.CodeRequestScope},
		"B03 one of two":                   {edit: func(w *world) { w.quorum() }, want: events.CodeRequestQuorum},
		"B03 two of two":                   {edit: func(w *world) { w.quorum(); w.approve("bob", "") }},
		"B03 an approval of other bytes":   {edit: func(w *world) { w.quorum(); w.approve("bob", strings.Repeat("cd", 32)) }, want: events.CodeRequestQuorum},
		"B03 a quorum of another scope":    {edit: func(w *world) { w.trust.roster.Quorums = []events.Quorum{{Labels: dev, Operators: 2}} }},
		"B03 on a state server":            {edit: func(w *world) { w.machine.Labels = events.LabelsOf(prod, true) }, want: events.CodeRequestScope},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ask.Action, w.ask.Upgrade = events.ActionDeploy, nil
			w.ask.Deploy = &events.AskDeploy{Service: "web", Machine: "3", Command: []string{"serve"}, Restart: events.RestartAlways}
			if c.edit != nil {
				c.edit(w)
			}
			u := events.UnitSpec{Unit: "web/0", Machine: "3", Command: []string{"serve"}, Restart: events.RestartAlways, Warrant: w.make()}
			if c.unit != nil {
				c.unit(&u)
			}
			_, err := w.reader().Unit(u, w.machine)
			if got := events.CodeOf(err); got != c.want || (err != nil && c.want == "") {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// Each row is a restart, or the word that what failed may be tried again.
func TestB08PlainOrdersAskForFreshMetadata(t *testing.T) {
	for _, action := range []string{events.ActionRestart, events.ActionResolved} {
		for left, want := range map[time.Duration]string{time.Second: "", 0: events.CodeTUFExpired, -time.Hour: events.CodeTUFExpired} {
			w := newWorld(t)
			w.ask.Action, w.ask.Upgrade = action, nil
			w.fresh = w.now.Add(left)
			_, err := w.reader().Plain(action, w.machine.ID, w.make(), w.machine)
			if got := events.CodeOf(err); got != want || (err != nil && want == "") {
				t.Errorf("%s, %v before the metadata ends: %v, want %q", action, left, err, want)
			}
		}
	}
}

// Each row is an action under a quorum of two, signed by one and by two. A restart lets nothing run but
// what runs.
func TestB03EveryOrderThatLetsRunAsksForTheQuorum(t *testing.T) {
	for name, a := range events.Actions {
		if !a.LetsRun {
			continue
		}
		for _, agree := range []int{1, 2} {
			w := newWorld(t)
			w.quorum()
			w.ask.Action, w.ask.Upgrade = name, nil
			if agree == 2 {
				w.approve("bob", "")
			}
			want := ""
			if agree == 1 && name != events.ActionRestart {
				want = events.CodeRequestQuorum
			}
			if _, err := w.reader().Check(w.make(), w.machine); events.CodeOf(err) != want || (err != nil && want == "") {
				t.Errorf("%s, %d agree: %v, want %q", name, agree, err, want)
			}
		}
	}
}

// The largest of all quorums holds for settings that change what is believed: they are every machine's.
func TestB03SettingsThatAreBelieved(t *testing.T) {
	roster := events.Roster{Quorums: []events.Quorum{{Labels: dev, Operators: 2}, {Labels: prod, Operators: 3}}}
	for _, s := range settings.All {
		want := 1
		if slices.Contains(settings.Belief(), s.Key) {
			want = 3
		}
		for _, ask := range []events.Ask{
			{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "patch", s.Key: "x"}},
			{Action: events.ActionUnsetEnv, UnsetEnv: []string{"upgrade-policy", s.Key}},
		} {
			if got := warrant.Needed(roster, ask, nil); got != want {
				t.Errorf("%s %s needs %d, want %d", ask.Action, s.Key, got, want)
			}
		}
	}
}

// A request that names a time which no request may have ends when every request ends.
func TestB08UntilIsCapped(t *testing.T) {
	for until, want := range map[time.Duration]time.Duration{
		time.Hour: time.Hour, events.MaxRequestLife: events.MaxRequestLife, events.MaxRequestLife + 1: events.MaxRequestLife,
		100 * 365 * 24 * time.Hour: events.MaxRequestLife,
	} {
		if got := (events.Ask{Created: asked, Until: asked.Add(until)}).LastStart(); !got.Equal(asked.Add(want)) {
			t.Errorf("until %v after it was made: %v, want %v", until, got.Sub(asked), want)
		}
	}
}

func TestBI59ListsOfMachines(t *testing.T) {
	many := make([]warrant.Machine, events.MaxMachines+1)
	for i := range many {
		many[i] = warrant.Machine{ID: fmt.Sprint(i), Key: "U"}
	}
	for name, c := range map[string]struct {
		list  []warrant.Machine
		count int // 0: refused
	}{
		"BI-59 empty":      {nil, 0},
		"BI-59 one":        {many[:1], 1},
		"BI-59 duplicates": {[]warrant.Machine{many[0], many[1], many[0]}, 2},
		"BI-59 the most":   {many[:events.MaxMachines], events.MaxMachines},
		"BI-59 one more":   {many, 0},
	} {
		list, err := warrant.NewList(c.list)
		if (err == nil) != (c.count > 0) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			continue
		}
		signed, err := list.Signed()
		if err != nil || signed.Count != c.count || !list.Equal(signed) {
			t.Errorf("%s: %+v, %v; want %d machines", name, signed, err, c.count)
		}
	}
}

// The whole check of an order, and beside it what a machine needs only to decode the order.
func BenchmarkOrder(b *testing.B) {
	w := newWorld(b)
	w.quorum()
	w.approve("bob", "")
	for i := range 10_000 {
		w.list = append(w.list, warrant.Machine{ID: fmt.Sprint(100 + i), Key: w.machine.Key})
	}
	w.order.Warrant = w.make()
	rec, err := events.New(events.Envelope{ID: "r", Time: w.now, Actor: "state-server-0"}, &w.order)
	if err == nil {
		rec, err = rec.Signed(testkey.Of(w.server))
	}
	if err != nil {
		b.Fatal(err)
	}
	r := w.reader()
	for name, check := range map[string]bool{"with all checks": true, "without": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p, err := events.Decode(rec)
				if err != nil {
					b.Fatal(err)
				}
				if !check {
					continue
				}
				if err := r.Server(rec); err != nil {
					b.Fatal(err)
				}
				if _, err := r.Order(*p.(*events.OrderIssued), w.machine, w.runs); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
