package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
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

// The upgrade of a state server was taken back, and its machines run the newer version still. They
// hear their orders from the one of before, too.
func TestAStateServerOfBeforeIsHeard(t *testing.T) {
	before, _ := accountsOfBefore(t)
	b := bustest.StartOf(t, before)
	agent := b.Agent("machine-4")
	taken := make(chan events.Record, 10)
	go func() { _ = agent.Orders(t.Context(), "machine-4", func(r events.Record) { taken <- r }) }()
	log := b.StateServer().Log()
	for seq := range uint64(2) { // the second one comes when the agent has begun to listen
		rec, err := events.New(events.Envelope{ID: fmt.Sprint(seq), Time: time.Unix(1, 0).UTC(), Actor: "state-server-0"},
			&events.UnitsAssigned{Machine: "4", Units: []events.UnitSpec{}})
		if err == nil {
			_, err = log.Append(t.Context(), seq, rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-taken:
			if got.ID != rec.ID {
				t.Fatalf("it hears %s, want %s", got.ID, rec.ID)
			}
		case <-time.After(time.Minute):
			t.Fatalf("nobody told it of order %d", seq)
		}
	}
}
