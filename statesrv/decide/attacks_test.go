package decide

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// court is a state server that judges signed requests, without a bus. Machines 1 and 2 are
// of production, where two operators must agree.
type court struct {
	*desk
	seq uint64
}

var production = map[string]string{"env": "prod"}

func grants(name, role string, labels map[string]string) events.Operator {
	g, err := events.GrantOf(role, labels)
	if err != nil {
		panic(err)
	}
	return events.Operator{Name: name, Key: testkey.Of(name).Public(), Grants: []events.Grant{g}}
}

func newCourt(t *testing.T) *court {
	t.Helper()
	s := environment("1.25.0")
	s.Machines["1"].Labels, s.Machines["2"].Labels = production, production
	s.Tools["1.25.1-trusty-amd64"] = &projections.StoredTools{Tools: tools.Tools{Version: bin("1.25.1"), Size: 1, SHA256: digest}}
	s.Trust.Roster = events.Roster{
		Operators: []events.Operator{
			grants("alice", events.RoleAdmin, nil), grants("bob", events.RoleApprove, nil),
			grants("carol", events.RoleApprove, production),
			grants("erin", events.RoleApprove, nil),
			grants("dave", events.RoleOperate, map[string]string{"env": "dev"}), grants("rita", events.RoleRead, nil),
		},
	}
	return &court{desk: &desk{t: t, state: s, now: judged}}
}

// upgrade is what alice's client signs.
func (c *court) upgrade(id string) events.Ask {
	ask := upgradeTo("1.25.1", "1.25.1", false)
	ask.ID = id
	return c.complete(ask)
}

func (c *court) complete(ask events.Ask) events.Ask {
	lawful(c.t, c.state, &ask)
	ask.Environment, ask.Expires = "env", judged.Add(10*time.Minute)
	return ask
}

func upgradeTo(v, client string, reset bool) events.Ask {
	return events.Ask{Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{
		To: bin(v).Number, Client: bin(client).Number, Reset: reset, Artefacts: []tools.Tools{{Version: bin(v), Size: 1, SHA256: digest}},
	}}
}

// lawful completes an ask as a client does.
func lawful(t testing.TB, s *projections.State, ask *events.Ask) {
	t.Helper()
	r := targets.Resolve(s, *ask)
	ask.Created, ask.Until = judged, judged.Add(events.MaxRequestLife)
	if ask.Upgrade != nil {
		ask.Upgrade.Rollback = ask.Upgrade.To.Compare(r.Newest) < 0
	}
	if ask.AddUnit != nil && r.Unit != nil {
		ask.AddUnit.Command, ask.AddUnit.Env, ask.AddUnit.Restart = r.Unit.Command, r.Unit.Env, r.Unit.Restart
	}
	if len(r.Machines) == 0 {
		return
	}
	list, err := warrant.NewList(r.Machines)
	if err == nil {
		ask.Machines, err = list.Signed()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (c *court) approval(id, of, sha256 string) events.Ask {
	return events.Ask{
		ID: id, Environment: "env", Action: events.ActionApprove, Created: judged, Expires: judged.Add(time.Hour),
		Approve: &events.AskApprove{Request: of, SHA256: sha256},
	}
}

func signAs(t testing.TB, ask events.Ask, by, kind string) []byte {
	t.Helper()
	statement, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	signature, _ := testkey.Of(by).Sign(events.PAE(kind, statement))
	b, err := json.Marshal(events.Signed{Statement: statement, Key: testkey.Of(by).Public(), Signature: signature})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hear judges bytes as they lie in REQUESTS, and says what was decided: kinds, or codes.
func (c *court) hear(id, key string, data []byte) string {
	c.t.Helper()
	c.seq++
	before := len(c.recs)
	d, err := Requested(c.at(), ReadRequest(c.seq, id, testkey.Of(key).Public(), data), Known{Signed: anything{}})
	if err != nil {
		return "skipped"
	}
	c.decided(d)
	var kinds, codes []string
	for _, rec := range c.recs[before:] {
		p, err := events.Decode(rec)
		if err != nil {
			c.t.Fatal(err)
		}
		kinds = append(kinds, strings.TrimSuffix(p.Kind(), "/1"))
		switch p := p.(type) {
		case *events.RequestRefused:
			for _, r := range p.Reasons {
				codes = append(codes, r.Code)
			}
		case *events.UpgradeRefused:
			for _, r := range p.Reasons {
				codes = append(codes, r.Code)
			}
		}
	}
	if len(codes) > 0 {
		return strings.Join(codes, " ")
	}
	return strings.Join(kinds, " ")
}

// anything is a list of what release managers signed on which every archive is.
type anything struct{}

func (anything) Tools(tools.Tools) error { return nil }

func (c *court) ask(ask events.Ask, by string) string {
	c.t.Helper()
	return c.hear(ask.ID, by, signAs(c.t, ask, by, events.SignedType(ask.Action)))
}

func (c *court) quorum(n int) {
	c.state.Trust.Roster.Quorums = []events.Quorum{{Labels: production, Operators: n}}
}

// Each row breaks one thing in a lawful request and names what is decided.
func TestAttacksOnRequests(t *testing.T) {
	accepted := "upgrade.requested upgrade.accepted"
	pending := "upgrade.requested upgrade.pending"
	for name, c := range map[string]struct {
		try  func(c *court) string
		want string
	}{
		"lawful": {func(c *court) string { return c.ask(c.upgrade("r1"), "alice") }, accepted},
		"BI-41 forged under alice's key": {func(c *court) string {
			b := signAs(c.t, c.upgrade("r1"), "state server", events.RequestType)
			return c.hear("r1", "alice", []byte(strings.ReplaceAll(string(b), testkey.Of("state server").Public(), testkey.Of("alice").Public())))
		}, "req-signature"},
		"BI-41 no request at all":       {func(c *court) string { return c.hear("r1", "alice", []byte("{}")) }, "req-signature"},
		"BI-42 a key not on the roster": {func(c *court) string { return c.ask(c.upgrade("r1"), "mallory") }, "req-operator"},
		"BI-42 an operator who was revoked": {func(c *court) string {
			c.state.Trust.Revoked = &events.Revoked{Keys: []string{testkey.Of("alice").Public()}}
			return c.ask(c.upgrade("r1"), "alice")
		}, "req-operator"},
		"BI-43 dev operator, prod machines": {func(c *court) string { return c.ask(c.upgrade("r1"), "dave") }, "req-scope"},
		"BI-43 dev operator, a prod machine": {func(c *court) string {
			return c.ask(c.complete(events.Ask{ID: "r1", Action: events.ActionRestart, Restart: &events.AskRestart{Tags: []string{"machine-1"}}}), "dave")
		}, "req-scope"},
		"BI-43 a reader":         {func(c *court) string { return c.ask(c.upgrade("r1"), "rita") }, "req-scope"},
		"BI-43 an approver asks": {func(c *court) string { return c.ask(c.upgrade("r1"), "bob") }, "req-scope"},
		"BI-43 an operator sets settings": {func(c *court) string {
			return c.ask(c.complete(events.Ask{ID: "r1", Action: events.ActionUnsetEnv, UnsetEnv: []string{"upgrade-policy"}}), "dave")
		}, "req-scope"},
		"BI-44 one of two waits":        {func(c *court) string { c.quorum(2); return c.ask(c.upgrade("r1"), "alice") }, pending},
		"BI-44 two of two begins":       {func(c *court) string { c.quorum(2); return c.agree("bob") }, "upgrade.approved upgrade.accepted"},
		"BI-44 two of three waits on":   {func(c *court) string { c.quorum(3); return c.agree("bob") }, "upgrade.approved"},
		"BI-44 three of three begins":   {func(c *court) string { c.quorum(3); c.agree("bob"); return c.again("a2", "erin") }, "upgrade.approved upgrade.accepted"},
		"BI-44 by who may not approve":  {func(c *court) string { c.quorum(2); return c.agree("rita") }, "req-scope"},
		"BI-44 out of his scope":        {func(c *court) string { c.quorum(2); return c.agree("carol") }, "req-scope"}, // machine 0 is not of production
		"BI-45 the same operator twice": {func(c *court) string { c.quorum(3); c.agree("bob"); return c.again("a2", "bob") }, "req-quorum"},
		"BI-45 who asked":               {func(c *court) string { c.quorum(2); return c.agree("alice") }, "req-quorum"},
		"BI-46 other bytes": {func(c *court) string {
			c.quorum(2)
			c.ask(c.upgrade("r1"), "alice")
			return c.ask(c.approval("a1", "r1", strings.Repeat("cd", 32)), "bob")
		}, "req-quorum"},
		"BI-46 another upgrade": {func(c *court) string {
			c.quorum(2)
			c.ask(c.upgrade("r1"), "alice")
			return c.ask(c.approval("a1", "r2", strings.Repeat("cd", 32)), "bob")
		}, "not-pending"},
		"BI-47 the same bytes again": {func(c *court) string {
			b := signAs(c.t, c.upgrade("r1"), "alice", events.RequestType)
			c.hear("r1", "alice", b)
			return c.hear("r1", "alice", b)
		}, "skipped"},
		"BI-48 after its expiry": {func(c *court) string {
			c.now = judged.Add(8 * 24 * time.Hour)
			ask := c.upgrade("r1")
			return c.ask(ask, "alice")
		}, "req-expired"},
		"BI-48 for longer than any may last": {func(c *court) string {
			ask := c.upgrade("r1")
			ask.Until = ask.Until.Add(time.Second)
			return c.ask(ask, "alice")
		}, "req-expired"},
		"BI-51 other machines than there are": {func(c *court) string {
			ask := c.upgrade("r1")
			c.state.Machines["3"] = &projections.Machine{ID: "3", Life: projections.LifeAlive, Version: bin("1.25.0"), Key: testkey.Of("machine-3").Public()}
			return c.ask(ask, "alice")
		}, "machines-changed"},
		"BI-51 no list": {func(c *court) string { ask := c.upgrade("r1"); ask.Machines = nil; return c.ask(ask, "alice") }, "machines-changed"},
		"BI-55 older, no rollback": {func(c *court) string {
			c.state.Machines["2"].Version = bin("1.25.1")
			c.state.AgentVersion = bin("1.25.1").Number
			c.state.Machines["2"].Version = bin("1.25.2")
			ask := c.upgrade("r1")
			ask.Upgrade.Rollback = false
			return c.last(ask)
		}, "floor"},
		"BI-56 below the floor": {func(c *court) string {
			floor := bin("1.25.2").Number
			c.state.Trust.Floor = &floor
			ask := c.upgrade("r1")
			ask.Upgrade.Rollback = true
			return c.ask(ask, "alice")
		}, "floor"},
		"BI-58 a second one": {func(c *court) string { c.ask(c.upgrade("r1"), "alice"); return c.ask(c.upgrade("r2"), "alice") }, "conflict"},
		"BI-58 beside one that waits": {func(c *court) string {
			c.quorum(2)
			c.ask(c.upgrade("r1"), "alice")
			return c.ask(c.upgrade("r2"), "alice")
		}, "conflict"},
		"BI-60 an approval as a request": {func(c *court) string {
			return c.hear("r1", "alice", signAs(c.t, c.upgrade("r1"), "alice", events.ApprovalType))
		}, "req-signature"},
		"BI-60 a request as an approval": {func(c *court) string {
			c.quorum(2)
			c.ask(c.upgrade("r1"), "alice")
			return c.hear("a1", "bob", signAs(c.t, c.approval("a1", "r1", c.digest("r1")), "bob", events.RequestType))
		}, "req-signature"},
		"B03 a deployment by one of two": {func(c *court) string { c.quorum(2); return c.deploy("1") }, "request.pending"},
		"B03 on a machine without a quorum": {func(c *court) string {
			c.quorum(2)
			return c.deploy("0")
		}, "request.received unit.added units.assigned"},
		"B03 by two": {func(c *court) string { c.quorum(2); c.deploy("1"); return c.again("a1", "carol") }, "request.approved unit.added units.assigned"},
		"B03 by one and an operator who was removed": {func(c *court) string {
			c.quorum(3)
			c.deploy("1")
			c.again("a1", "erin")
			c.state.Trust.Roster.Operators = slices.DeleteFunc(c.state.Trust.Roster.Operators, func(o events.Operator) bool { return o.Name == "erin" })
			return c.again("a2", "bob")
		}, "request.approved"},
		"B03 other bytes": {func(c *court) string {
			c.quorum(2)
			c.deploy("1")
			return c.ask(c.approval("a1", "r1", strings.Repeat("cd", 32)), "bob")
		}, "req-quorum"},
		"B03 the asker lost his role meanwhile": {func(c *court) string {
			c.quorum(2)
			c.deploy("1")
			c.state.Trust.Roster.Operators[0].Grants[0].Role = events.RoleRead
			return c.again("a1", "bob")
		}, "req-scope"},
		"B03 taken back": {func(c *court) string {
			c.quorum(2)
			c.deploy("1")
			c.state.Trust.Revoked = &events.Revoked{Requests: []string{"r1"}}
			c.decided(Plan(c.at(), Outlook{}))
			return c.ask(c.approval("a1", "r1", strings.Repeat("cd", 32)), "bob")
		}, "not-pending"},
		"B03 a setting that is believed, by one of two": {func(c *court) string {
			c.quorum(2)
			return c.set("enrol-policy=approve")
		}, "request.pending"},
		"B03 a setting of pace": {func(c *court) string {
			c.quorum(2)
			return c.set("upgrade-max-in-flight=1")
		}, "request.received setting.changed"},
		"B03 a setting, by two": {func(c *court) string {
			c.quorum(2)
			c.set("enrol-policy=approve")
			return c.again("a1", "bob")
		}, "request.approved setting.changed"},
		"B03 a setting, by an approver of some machines": {func(c *court) string {
			c.quorum(2)
			c.set("enrol-policy=approve")
			return c.again("a1", "carol")
		}, "req-scope"},
		"another environment": {func(c *court) string { ask := c.upgrade("r1"); ask.Environment = "other"; return c.ask(ask, "alice") }, "other-environment"},
		"a service that became another": {func(c *court) string {
			ask := c.complete(events.Ask{ID: "r1", Action: events.ActionAddUnit, AddUnit: &events.AskAddUnit{Service: "web", Machine: "2"}})
			ask.AddUnit.Command = []string{"y"}
			return c.ask(ask, "alice")
		}, "machines-changed"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.try(newCourt(t)); got != c.want {
				t.Errorf("decided %q, want %q", got, c.want)
			}
		})
	}
}

// agree lets alice ask and somebody agree.
func (c *court) agree(who string) string {
	c.t.Helper()
	c.ask(c.upgrade("r1"), "alice")
	return c.again("a1", who)
}

// deploy asks, as alice, for a command on a machine.
func (c *court) deploy(machine string) string {
	c.t.Helper()
	return c.ask(c.complete(events.Ask{ID: "r1", Action: events.ActionDeploy, Deploy: &events.AskDeploy{
		Service: "job", Machine: machine, Command: []string{"work"}, Restart: events.RestartNever,
	}}), "alice")
}

// set asks, as alice, for a setting.
func (c *court) set(setting string) string {
	c.t.Helper()
	key, value, _ := strings.Cut(setting, "=")
	return c.ask(c.complete(events.Ask{ID: "r1", Action: events.ActionSetEnv, SetEnv: map[string]string{key: value}}), "alice")
}

func (c *court) again(id, who string) string {
	c.t.Helper()
	return c.ask(c.approval(id, "r1", c.digest("r1")), who)
}

// digest is of a request that waits.
func (c *court) digest(id string) string { return warrant.Digest(c.state.Pending[id].Request.Signed) }

// last is the last of the codes.
func (c *court) last(ask events.Ask) string {
	codes := strings.Fields(c.ask(ask, "alice"))
	return codes[len(codes)-1]
}

// The orders of an upgrade that two agreed to are lawful at the machines, and the list is
// the one that was signed also after a machine has a new key.
func TestOrdersCarryWhatMakesThemLawful(t *testing.T) {
	c := newCourt(t)
	c.quorum(2)
	c.agree("bob")
	u := c.state.Upgrade
	if u == nil {
		t.Fatal("it has not begun")
	}
	c.state.Machines["2"].Key = testkey.Of("a new disk").Public()
	var lists Warrants
	for id, want := range map[string]string{"0": "", "1": "", "2": events.CodeNotInRequest} {
		w, err := lists.of(u, id)
		if err != nil {
			t.Fatal(err)
		}
		m := c.state.Machines[id]
		_, err = c.state.Reader(judged).Check(w, warrant.Machine{ID: id, Key: m.Key, Labels: m.Labels})
		if got := events.CodeOf(err); got != want || err != nil && want == "" {
			t.Errorf("machine %s: %v, want %q", id, err, want)
		}
	}
}

// A unit that two agreed to is lawful at its machine, which counts by itself; with one approval less it
// is not.
func TestB03UnitsCarryTheirApprovals(t *testing.T) {
	c := newCourt(t)
	c.quorum(2)
	c.deploy("1")
	if got := c.again("a1", "bob"); got != "request.approved unit.added units.assigned" {
		t.Fatal(got)
	}
	u, m := c.state.Units["job/0"].UnitSpec, c.state.Machines["1"]
	own := warrant.Machine{ID: "1", Key: m.Key, Labels: m.Labels}
	if _, err := c.state.Reader(judged).Unit(u, own); err != nil {
		t.Error(err)
	}
	u.Warrant.Approvals = nil
	if _, err := c.state.Reader(judged).Unit(u, own); events.CodeOf(err) != events.CodeRequestQuorum {
		t.Errorf("without the approval: %v", err)
	}
}

// Each operator has room for so many requests that wait (limits.PendingOfOperator), and all of them
// together for so many (limits.PendingRequests).
func TestOnlySoMuchWaits(t *testing.T) {
	c := newCourt(t)
	c.quorum(2)
	try := func(n int, who string) string {
		return c.ask(c.complete(events.Ask{ID: fmt.Sprint(who, n), Action: events.ActionUnsetEnv, UnsetEnv: []string{"enrol-policy"}}), who)
	}
	for i := range limits.PendingOfOperator {
		if got := try(i, "alice"); got != "request.pending" {
			t.Fatalf("request %d: %q", i, got)
		}
	}
	if got := try(limits.PendingOfOperator, "alice"); got != "too-many" {
		t.Errorf("one more of alice: %q", got)
	}
	for i := len(c.state.Pending); i < limits.PendingRequests; i++ {
		c.state.Pending[fmt.Sprint("other", i)] = &projections.Pending{Request: events.Request{Operator: fmt.Sprint("o", i)}}
	}
	c.state.Trust.Roster.Operators = append(c.state.Trust.Roster.Operators, grants("ann", events.RoleAdmin, nil))
	if got := try(0, "ann"); got != "too-many" {
		t.Errorf("one more of all: %q", got)
	}
	delete(c.state.Pending, "alice0")
	if got := try(1, "ann"); got != "request.pending" {
		t.Errorf("with room: %q", got)
	}
}

func TestBI59RequestsOfTooManyMachines(t *testing.T) {
	c := newCourt(t)
	for i := range events.MaxMachines {
		id := fmt.Sprint(10 + i)
		c.state.Machines[id] = &projections.Machine{ID: id, Life: projections.LifeAlive, Version: bin("1.25.0"), Key: "U"}
	}
	ask := upgradeTo("1.25.1", "1.25.1", false) // BI-59: 50,003 machines
	ask.ID, ask.Environment, ask.Created, ask.Expires, ask.Until = "r1", "env", judged, judged.Add(time.Minute), judged.Add(time.Hour)
	ask.Machines = &events.MachineList{Root: make([]byte, 32), Count: 50_003}
	if got := c.ask(ask, "alice"); got != "too-many" {
		t.Errorf("50,003 machines: %q", got)
	}
	c.state.Machines = map[string]*projections.Machine{}
	ask.ID = "r2"
	if got := c.last(ask); got != "no-machines" {
		t.Errorf("no machines: %q", got)
	}
}
