package decide

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// A request for invitations has two limits. Each row is at a limit, or one past it.
func TestLimitsOfInvitations(t *testing.T) {
	keys := make([]string, limits.Invitations+1)
	for i := range keys {
		keys[i] = fmt.Sprint("K", i)
	}
	life := int64(limits.TokenLife / time.Second)
	for name, c := range map[string]struct {
		ask  events.AskAddMachine
		want string // the code of the refusal; empty: every machine is invited
	}{
		"limits.Invitations":          {events.AskAddMachine{TokenKeys: keys[:limits.Invitations], TTL: 60}, ""},
		"one past limits.Invitations": {events.AskAddMachine{TokenKeys: keys, TTL: 60}, codeTooMany},
		"limits.TokenLife":            {events.AskAddMachine{TokenKeys: keys[:1], TTL: life}, ""},
		"one past limits.TokenLife":   {events.AskAddMachine{TokenKeys: keys[:1], TTL: life + 1}, codeBadValue},
	} {
		t.Run(name, func(t *testing.T) {
			court := newCourt(t)
			ask := court.complete(events.Ask{ID: "r1", Action: events.ActionAddMachine, AddMachine: &c.ask})
			want := c.want
			if want == "" {
				want = "request.received" + strings.Repeat(" machine.invited", len(c.ask.TokenKeys))
			}
			if got := court.ask(ask, "alice"); got != want {
				t.Errorf("decided %q, want %q", got, want)
			}
		})
	}
}

// Ann has revoked a version in the metadata that she signed as number 5. Each row: whose
// metadata says afterwards that the version is as any other, which number it has, and what is
// recorded beside the request.
func TestOnlyNewerMetadataOfTheSameSignerTakesAMarkBack(t *testing.T) {
	for name, c := range map[string]struct {
		signer  string
		signing uint64
		want    string
	}{
		"older metadata of hers":  {"UANN", 4, ""},
		"newer metadata of hers":  {"UANN", 6, " tools.marked"},
		"newer metadata of Bob's": {"UBOB", 6, ""},
	} {
		t.Run(name, func(t *testing.T) {
			court := newCourt(t)
			court.state.Settings["tools-signers"] = "UANN UBOB"
			court.state.Marks["1.25.1"] = map[string]tools.Said{"UANN": {Marks: tools.Marks{Revoked: "eats data"}, Signing: 5}}
			ask := court.complete(events.Ask{ID: "r1", Action: events.ActionSyncTools, SyncTools: &events.AskSyncTools{
				Source: "x", SignedBy: c.signer, Signing: c.signing, Marks: []tools.Marked{{Version: bin("1.25.1").Number}},
			}})
			if got, want := court.ask(ask, "alice"), "tools.sync_requested"+c.want; got != want {
				t.Errorf("decided %q, want %q", got, want)
			}
		})
	}
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
	if len(reasons) != 1 || reasons[0].Code != version.CodeNoTools || !slices.Equal(reasons[0].About, []string{"machine-2"}) {
		t.Fatalf("refused for %+v", reasons)
	}
	if text := reasons[0].Text; !strings.Contains(text, "1.25.1-xenial-arm64") {
		t.Fatalf("the refusal does not name the platform: %s", text)
	}
	other := ask.Upgrade.Artefacts[0]
	other.Version.Series, other.Version.Arch = "xenial", "arm64"
	ask.Upgrade.Artefacts = append(ask.Upgrade.Artefacts, other)
	if v := judgeUpgrade(q); len(v.reasons) != 0 {
		t.Fatalf("with tools for all it is refused for %+v", v.reasons)
	}
}
