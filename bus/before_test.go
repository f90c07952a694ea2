package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/server"
)

// What roles may do is this version's, also in an environment of before, whose NATS has kept the
// claims that the version of before signed. What it refused stays refused.
func TestAnEnvironmentOfBeforeGetsTheRulesOfThisVersion(t *testing.T) {
	before, now := accountsOfBefore(t)
	b := bustest.StartOf(t, before)
	creds, id := b.Credentials(agentRole(b, "machine-3"))
	revoke(t, b, b.System(), map[string]time.Time{id.Public(): time.Now()})
	b.Accounts = now
	b.Restart()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := bus.Connect(ctx, bus.ConnConfig{URLs: b.URLs, Authorities: b.Authorities, Credentials: creds}); !errors.Is(err, bus.ErrDenied) {
		t.Errorf("who was revoked: %v, want ErrDenied", err)
	}
	hearsAsOfNow(t, b)
}

// The same, with a nats-server of its own that has the configuration of before: the state server
// that leads tells it.
func TestASeparateNATSIsToldTheRulesOfThisVersion(t *testing.T) {
	before, now := accountsOfBefore(t)
	b := bustest.StartProcessOf(t, before)
	b.Accounts = now
	system := b.System()
	for _, claims := range now.Rules() {
		if err := system.UpdateAccount(t.Context(), claims); err != nil {
			t.Fatal(err)
		}
	}
	revoke(t, b, system, nil)
	hearsAsOfNow(t, b)
}

// accountsOfBefore are the accounts that a jujube without names.SubjectHeard made, as that version
// read them, and as this one does.
func accountsOfBefore(t *testing.T) (before, now *server.Accounts) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "accounts-before.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &before); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "trust.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if now, err = server.LoadAccounts(file); err != nil {
		t.Fatal(err)
	}
	return before, now
}

func hearsAsOfNow(t *testing.T, b *bustest.Bus) {
	t.Helper()
	state, _, _ := raw(t, b, stateServerRole(b))
	agent, _, _ := raw(t, b, agentRole(b, "machine-4"))
	heard := make(chan *nats.Msg, 10)
	if _, err := agent.ChanSubscribe("_R_.live.order.machine-4.*", heard); err != nil {
		t.Fatal(err)
	}
	if err := agent.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Request("log.order.machine-4.agent", []byte("{}"), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	within(t, heard, "its order")
}
