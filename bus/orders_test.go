package bus_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
)

// A machine reads what was published of trust before it came, and hears of the next.
func TestMachinesFollowTrust(t *testing.T) {
	b := bustest.Start(t)
	state, _, _ := raw(t, b, stateServerRole(b))
	publish := func(version int64) {
		t.Helper()
		rec, err := events.New(events.Envelope{ID: "x", Time: time.Unix(1, 0).UTC(), Actor: "state-server-0"}, &events.TrustPublished{
			Bundle:  events.Object{SHA256: strings.Repeat("ab", 32), Size: 9},
			Version: events.TrustVersions{Root: 1, Targets: 1, Snapshot: 1, Timestamp: version},
			Fresh:   time.Unix(9, 0).UTC(), Expires: time.Unix(9, 0).UTC(), Timestamp: []byte("{}"),
			Roster: events.Roster{Operators: []events.Operator{{Name: "alice", Key: "U"}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		data, err := events.Marshal(rec)
		if err == nil {
			_, err = state.Request("log.trust", data, 5*time.Second)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	publish(1)
	creds, _ := b.Credentials(func(key string) (string, error) { return b.Accounts.AgentJWT("machine-3", key) })
	agent := b.With(bus.ConnConfig{Credentials: creds})
	taken := make(chan events.Record, 10)
	go func() { _ = agent.Orders(t.Context(), "machine-3", func(r events.Record) { taken <- r }) }()
	for version := range int64(3) {
		if version > 0 {
			publish(version + 1)
		}
		select {
		case rec := <-taken:
			p, err := events.Decode(rec)
			if published, ok := p.(*events.TrustPublished); err != nil || !ok || published.Version.Timestamp != version+1 {
				t.Fatalf("it reads %+v, %v", p, err)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("nobody told it of version %d", version+1)
		}
	}
}

// The log is put back to an old copy. The machine is handed the newest order that lies there, although
// it is older than what it got before, and the ones that come then: it says itself what is wrong.
func TestB15OrdersOfALogThatWentBackAreHandedOut(t *testing.T) {
	b := bustest.Start(t)
	log := b.StateServer().Log()
	order := func(last uint64) {
		t.Helper()
		rec, err := events.New(events.Envelope{ID: fmt.Sprint(last), Time: time.Unix(1, 0), Actor: "state-server-0"},
			&events.OrderSuperseded{Order: fmt.Sprint("o", last), Machine: "3", Reason: "x"})
		if err == nil {
			_, err = log.Append(t.Context(), last, rec)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	agent := b.Agent("machine-3")
	taken := make(chan uint64, 10)
	wants := func(seq uint64) {
		t.Helper()
		select {
		case got := <-taken:
			if got != seq {
				t.Fatalf("it was handed the order at %d, not at %d", got, seq)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("nobody handed it the order at %d", seq)
		}
	}
	for last := range uint64(4) {
		order(last)
	}
	go func() { _ = agent.Orders(t.Context(), "machine-3", func(r events.Record) { taken <- r.Seq }) }()
	wants(4)
	b.Rewrite(func(seq uint64, data []byte) []byte {
		if seq > 2 {
			return nil
		}
		return data
	})
	if err := agent.Reconnect(); err != nil {
		t.Fatal(err)
	}
	wants(2)
	order(2)
	wants(3)
}
