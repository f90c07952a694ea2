package decide

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

const digest = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

var judged = time.Date(2015, 9, 15, 12, 0, 0, 0, time.UTC)

func bin(v string) version.Binary {
	n, err := version.Parse(v)
	if err != nil {
		panic(err)
	}
	return version.Binary{Number: n, Series: "trusty", Arch: "amd64"}
}

// environment is one at 1.25.0 with a state server and two machines; machine 2 runs v2.
func environment(v2 string) *projections.State {
	s := projections.New()
	s.UUID, s.AgentVersion, s.NextMachine = "env", bin("1.25.0").Number, 3
	for id, v := range map[string]string{"0": "1.25.0", "1": "1.25.0", "2": v2} {
		s.Machines[id] = &projections.Machine{ID: id, Life: projections.LifeAlive, Version: bin(v), StateServer: id == "0", Key: testkey.Of("machine-" + id).Public()}
	}
	s.Units["web/0"] = &projections.Unit{UnitSpec: events.UnitSpec{Unit: "web/0", Machine: "1", Command: []string{"x"}, Restart: "always"}, Service: "web"}
	s.NextUnit["web"] = 1
	return s
}

// revoked is s with a version that UANN revoked in signing 5; UBOB is believed, too.
func revoked(s *projections.State) *projections.State {
	s.Settings["tools-signers"] = "UANN UBOB"
	s.Marks["1.25.1"] = map[string]tools.Said{"UANN": {Marks: tools.Marks{Revoked: "eats data"}, Signing: 5}}
	return s
}

// unmark says of that version that it is as any other.
func unmark(signer string, signing uint64) events.Ask {
	return events.Ask{Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{
		Source: "x", SignedBy: signer, Signing: signing, Marks: []tools.Marked{{Version: bin("1.25.1").Number}},
	}}
}

// twoUnits gives web another unit, on machine 2.
func twoUnits(s *projections.State) *projections.State {
	s.Units["web/1"] = &projections.Unit{UnitSpec: events.UnitSpec{Unit: "web/1", Machine: "2", Command: []string{"x"}, Restart: "always"}, Service: "web"}
	s.NextUnit["web"] = 2
	return s
}

func halted(s *projections.State) *projections.State {
	s.Upgrade = &projections.Upgrade{ID: "up1", To: bin("1.25.1").Number, Halted: []events.Reason{{Code: "x", Text: "y"}}}
	s.Orders["1"] = &projections.Order{ID: "o1", Machine: "1", Kind: projections.OrderUpgrade, Upgrade: "up1"}
	return s
}

func upgradeTo(v, client string, reset bool) events.Ask {
	return events.Ask{Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{
		To: bin(v).Number, Client: bin(client).Number, Reset: reset, Artefacts: []tools.Tools{{Version: bin(v), Size: 1, SHA256: digest}},
	}}
}

// Each row: what is asked, of which environment, and what is decided: the kinds of the
// decision, or the codes of all refusals in order.
func TestJudge(t *testing.T) {
	manyTags := make([]string, limits.Invitations+1)
	for i := range manyTags {
		manyTags[i] = fmt.Sprint("K", i)
	}
	for name, c := range map[string]struct {
		state *projections.State
		ask   events.Ask
		want  string
	}{
		"an upgrade is accepted":             {environment("1.25.0"), upgradeTo("1.25.1", "1.25.1", false), "upgrade.accepted/1"},
		"the version that runs":              {environment("1.25.0"), upgradeTo("1.25.0", "1.25.1", false), "refused: nothing-to-do"},
		"machines on the new version":        {environment("1.25.1"), upgradeTo("1.25.1", "1.25.1", false), "upgrade.accepted/1"},
		"an agent of another version":        {environment("1.23.0"), upgradeTo("1.25.1", "1.25.1", false), "refused: agent-mismatch"},
		"a repair of that agent":             {environment("1.23.0"), upgradeTo("1.25.0", "1.25.1", false), "upgrade.accepted/1"},
		"all blockers, mismatch first":       {halted(environment("1.23.0")), upgradeTo("1.24.0", "2.0.0", false), "refused: agent-mismatch conflict client-major lower-minor"},
		"an upgrade in progress":             {halted(environment("1.25.0")), upgradeTo("1.25.2", "1.25.1", false), "refused: conflict"},
		"a reset withdraws and goes on":      {halted(environment("1.25.0")), upgradeTo("1.25.2", "1.25.1", true), "order.superseded/1 upgrade.aborted/1 upgrade.accepted/1"},
		"a lower major":                      {environment("1.25.0"), upgradeTo("0.9.0", "1.25.0", false), "refused: client-major lower-major"},
		"tools that nobody has":              {environment("1.25.0"), events.Ask{Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{To: bin("1.25.1").Number, Client: bin("1.25.1").Number}}, "refused: no-tools"},
		"an upgrade to nothing":              {environment("1.25.0"), events.Ask{Action: events.ActionUpgrade}, "refused: malformed"},
		"restart one":                        {environment("1.25.0"), events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: []string{"machine-1"}}}, "restart.ordered/1"},
		"restart a unit and its machine":     {environment("1.25.0"), events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: []string{"web/0", "unit-web-0", "1"}}}, "restart.ordered/1"},
		"restart all":                        {environment("1.25.0"), events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{All: true}}, "restart.ordered/1 restart.ordered/1 restart.ordered/1"},
		"a restart is merged":                {halted(environment("1.25.0")), events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: []string{"1"}}}, ""},
		"restart nobody":                     {environment("1.25.0"), events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: []string{"machine-9"}}}, "refused: no-such-machine"},
		"restart all and one":                {environment("1.25.0"), events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{All: true, Tags: []string{"1"}}}, "refused: malformed"},
		"set":                                {environment("1.25.0"), events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "patch", "agent-stream": "devel"}}, "setting.changed/1 setting.changed/1"},
		"set all or nothing":                 {environment("1.25.0"), events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-policy": "patch", "nonsense": "1", "agent-version": "2"}}, "refused: bad-value bad-value"},
		"set out of range":                   {environment("1.25.0"), events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"upgrade-max-in-flight": "0", "agent-lost-after": "soon", "agent-metadata-url": "ftp://x"}}, "refused: bad-value bad-value bad-value"},
		"unset":                              {environment("1.25.0"), events.Ask{Action: events.ActionUnsetEnv, UnsetEnv: []string{"upgrade-policy"}}, "setting.changed/1"},
		"unset what is not":                  {environment("1.25.0"), events.Ask{Action: events.ActionUnsetEnv, UnsetEnv: []string{"x"}}, "refused: bad-value"},
		"add machines":                       {environment("1.25.0"), events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{TokenKeys: []string{"A", "B"}, TTL: 60}}, "machine.invited/1 machine.invited/1"},
		"add too many":                       {environment("1.25.0"), events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{TokenKeys: manyTags, TTL: 60}}, "refused: too-many"},
		"a token for ever":                   {environment("1.25.0"), events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{TokenKeys: []string{"A"}}}, "refused: bad-value"},
		"limits.TokenLife":                   {environment("1.25.0"), events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{TokenKeys: []string{"A"}, TTL: int64(limits.TokenLife / time.Second)}}, "machine.invited/1"},
		"one past limits.TokenLife":          {environment("1.25.0"), events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{TokenKeys: []string{"A"}, TTL: int64(limits.TokenLife/time.Second) + 1}}, "refused: bad-value"},
		"limits.Invitations":                 {environment("1.25.0"), events.Ask{Action: events.ActionAddMachine, AddMachine: &events.AskAddMachine{TokenKeys: manyTags[:limits.Invitations], TTL: 60}}, strings.TrimSpace(strings.Repeat("machine.invited/1 ", limits.Invitations))},
		"remove":                             {environment("1.25.0"), events.Ask{Action: events.ActionRemoveMachine, RemoveMachine: "2"}, "machine.removed/1"},
		"remove one with units":              {environment("1.25.0"), events.Ask{Action: events.ActionRemoveMachine, RemoveMachine: "1"}, "refused: in-use"},
		"remove the state server":            {environment("1.25.0"), events.Ask{Action: events.ActionRemoveMachine, RemoveMachine: "0"}, "refused: in-use"},
		"resolved":                           {environment("1.25.0"), events.Ask{Action: events.ActionResolved, Resolved: "1"}, "machine.resolved/1"},
		"resolved nobody":                    {environment("1.25.0"), events.Ask{Action: events.ActionResolved, Resolved: "9"}, "refused: no-such-machine"},
		"resolved behind an open order":      {halted(environment("1.25.0")), events.Ask{Action: events.ActionResolved, Resolved: "1"}, "refused: in-use"},
		"remove nobody":                      {environment("1.25.0"), events.Ask{Action: events.ActionRemoveMachine, RemoveMachine: "x"}, "refused: no-such-machine"},
		"deploy":                             {environment("1.25.0"), events.Ask{Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "db", Machine: "1", Command: []string{"y"}}}, "unit.added/1 units.assigned/1"},
		"deploy nowhere":                     {environment("1.25.0"), events.Ask{Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "db", Machine: "7", Command: []string{"y"}}}, "refused: no-such-machine"},
		"deploy nothing":                     {environment("1.25.0"), events.Ask{Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "db", Machine: "1"}}, "refused: malformed"},
		"deploy Bad":                         {environment("1.25.0"), events.Ask{Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "Bad!", Machine: "1", Command: []string{"y"}}}, "refused: malformed"},
		"deploy the same again":              {environment("1.25.0"), events.Ask{Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "web", Machine: "2", Command: []string{"x"}}}, "unit.added/1 units.assigned/1"},
		"deploy another under its name":      {environment("1.25.0"), events.Ask{Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "web", Machine: "2", Command: []string{"y"}}}, "refused: service-exists"},
		"add a unit":                         {environment("1.25.0"), events.Ask{Action: events.ActionAddUnit, AddUnit: &events.AskAddUnit{Service: "web", Machine: "2"}}, "unit.added/1 units.assigned/1"},
		"add a unit nowhere":                 {environment("1.25.0"), events.Ask{Action: events.ActionAddUnit, AddUnit: &events.AskAddUnit{Service: "web", Machine: "7"}}, "refused: no-such-machine"},
		"add a unit of nothing":              {environment("1.25.0"), events.Ask{Action: events.ActionAddUnit, AddUnit: &events.AskAddUnit{Service: "db", Machine: "1"}}, "refused: no-such-service"},
		"add nothing":                        {environment("1.25.0"), events.Ask{Action: events.ActionAddUnit}, "refused: malformed"},
		"remove a service":                   {twoUnits(environment("1.25.0")), events.Ask{Action: events.ActionRemoveService, RemoveService: "web"}, "unit.removed/1 unit.removed/1 units.assigned/1 units.assigned/1"},
		"remove no service":                  {environment("1.25.0"), events.Ask{Action: events.ActionRemoveService, RemoveService: "db"}, "refused: no-such-service"},
		"remove a unit":                      {environment("1.25.0"), events.Ask{Action: events.ActionRemoveUnit, RemoveUnit: "web/0"}, "unit.removed/1 units.assigned/1"},
		"remove no unit":                     {environment("1.25.0"), events.Ask{Action: events.ActionRemoveUnit, RemoveUnit: "db/0"}, "refused: no-such-unit"},
		"sync tools":                         {environment("1.25.0"), events.Ask{Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{Source: "x", Wanted: []version.Binary{bin("1.25.1")}, Unsigned: true}}, ""},
		"sync tools that nobody vouches for": {environment("1.25.0"), events.Ask{Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{Source: "x", Wanted: []version.Binary{bin("1.25.1")}}}, "refused: unsigned"},
		"sync tools of an unknown signer":    {environment("1.25.0"), events.Ask{Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{Source: "x", Wanted: []version.Binary{bin("1.25.1")}, SignedBy: "U"}}, "refused: unsigned"},
		"sync marks":                         {environment("1.25.0"), events.Ask{Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{Source: "x", Unsigned: true, Marks: []tools.Marked{{Version: bin("1.25.1").Number, Marks: tools.Marks{Revoked: "eats data"}}}}}, "tools.marked/1"},
		"marks of an old signing":            {revoked(environment("1.25.0")), unmark("UANN", 4), ""},
		"marks of a newer signing":           {revoked(environment("1.25.0")), unmark("UANN", 6), "tools.marked/1"},
		"marks of somebody else":             {revoked(environment("1.25.0")), unmark("UBOB", 6), ""},
		"sync nothing":                       {environment("1.25.0"), events.Ask{Action: events.ActionSyncTools}, "refused: malformed"},
		"an action of the future":            {environment("1.25.0"), events.Ask{Action: "teleport"}, "refused: unknown-action"},
		"an expired request":                 {environment("1.25.0"), events.Ask{Action: events.ActionUnsetEnv, Expires: judged.Add(-time.Second)}, "refused: req-expired"},
		"another environment":                {environment("1.25.0"), events.Ask{Action: events.ActionUnsetEnv, Environment: "other"}, "refused: other-environment"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.ask.Environment == "" {
				c.ask.Environment = "env"
			}
			if c.ask.Expires.IsZero() {
				c.ask.Expires = judged.Add(time.Minute)
			}
			c.ask.ID = "r1"
			before := c.state.Digest()
			lawful(t, c.state, &c.ask)
			v := (&inquiry{
				At: At{State: c.state, Now: judged, NewID: func() string { return "id" }}, ask: c.ask, by: chief,
				Known: Known{Signed: anything{}, Offered: map[string]bool{digest: true}},
				req:   events.Request{ID: "r1", Action: c.ask.Action, Operator: "alice", Created: judged, Signed: []byte("x")},
			}).judge()
			if got := describe(v); got != c.want {
				t.Errorf("decided %q, want %q", got, c.want)
			}
			if c.state.Digest() != before {
				t.Error("judging changed the state")
			}
			for _, p := range append([]events.Payload{v.received}, v.decided...) {
				if err := p.Validate(); err != nil {
					t.Errorf("%s cannot be recorded: %v", p.Kind(), err)
				}
			}
		})
	}
}

// chief may do everything.
var chief = events.Operator{Name: "alice", Key: testkey.Of("alice").Public(), Grants: []events.Grant{{Role: events.RoleAdmin}}}

// lawful completes an ask as a client does.
func lawful(t *testing.T, s *projections.State, ask *events.Ask) {
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

func describe(v verdict) string {
	var words []string
	for _, r := range v.reasons {
		words = append(words, r.Code)
	}
	if len(words) > 0 {
		return "refused: " + strings.Join(words, " ")
	}
	for _, p := range v.decided {
		words = append(words, p.Kind())
	}
	return fmt.Sprint(strings.Join(words, " "))
}

// An upgrade needs tools for every platform in use; the refusal names the machines that
// would be left out, and no other.
func TestMachinesOfAnotherPlatformAreNotLeftOut(t *testing.T) {
	s := environment("1.25.0")
	s.Machines["2"].Version.Series, s.Machines["2"].Version.Arch = "xenial", "arm64"
	ask := upgradeTo("1.25.1", "1.25.1", false)
	q := &inquiry{
		At: At{State: s, Now: judged, NewID: func() string { return "id" }}, ask: ask,
		Known: Known{Signed: anything{}, Offered: map[string]bool{digest: true}},
	}
	reasons := judgeUpgrade(q).reasons
	if len(reasons) != 1 || reasons[0].Code != "no-tools" || !slices.Equal(reasons[0].About, []string{"machine-2"}) || !strings.Contains(reasons[0].Text, "1.25.1-xenial-arm64") {
		t.Fatalf("refused for %+v", reasons)
	}
	other := ask.Upgrade.Artefacts[0]
	other.Version.Series, other.Version.Arch = "xenial", "arm64"
	ask.Upgrade.Artefacts = append(ask.Upgrade.Artefacts, other)
	if v := judgeUpgrade(q); len(v.reasons) != 0 {
		t.Fatalf("with tools for all it is refused for %+v", v.reasons)
	}
}
