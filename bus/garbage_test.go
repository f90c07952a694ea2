package bus_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// served is a state server that says what it took and what it skipped.
type served struct {
	garbage chan string
	taken   chan string
}

func serve(t *testing.T, b *bustest.Bus) served {
	t.Helper()
	s := served{garbage: make(chan string, 100), taken: make(chan string, 100)}
	creds, _ := b.Credentials(func(key string) (string, error) { return b.Accounts.StateServerJWT("state-server-0", key) })
	server := b.With(bus.ConnConfig{
		Credentials: creds,
		OnGarbage:   func(subject string, _ error) { s.garbage <- subject },
	})
	for _, start := range []func() (func(), error){
		func() (func(), error) {
			return server.ServeReports(func(r bus.Report) {
				if _, err := events.Unmarshal(r.Data); err != nil { // what a state server does of it first
					s.garbage <- "report." + r.Machine
					return
				}
				s.taken <- "report." + r.Machine
			})
		},
		func() (func(), error) {
			return server.ServeBeats(func(tag string, _ wire.Beat, _ func(wire.Echoed)) { s.taken <- "beat." + tag })
		},
		func() (func(), error) { return server.ServeEnrol(func(bus.Enrolment) { s.taken <- "enrol" }) },
		func() (func(), error) {
			return server.ServeUploads(func(p bus.Piece) { s.taken <- "upload." + p.Head.Tools.SHA256 })
		},
	} {
		stop, err := start()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
	}
	return s
}

// Every subject that a state server listens to gets garbage from somebody who may publish
// there. It is counted, and what comes behind it is taken within 100 ms.
func TestBI79GarbageIsCountedAndSkipped(t *testing.T) {
	b := bustest.Start(t)
	s := serve(t, b)
	agent, _, _ := raw(t, b, agentRole(b, "machine-3"))
	operator, _, _ := raw(t, b, operatorRole(b))
	host, _ := rawWith(t, b, enrolCredentials(t, b))
	junk := [][]byte{
		{},
		[]byte("{"),
		[]byte(`{"stream":"LOG","seq":1}`),
		[]byte(`{"stream":"LOG","seq":1,"duplicate":true}`),
		[]byte("\x00\xff"),
		[]byte("[]"),
		bytes.Repeat([]byte("["), 1<<10+1),
	}
	for subject, nc := range map[string]*nats.Conn{"beat.machine-3": agent, "report.machine-3": agent, "enrol": host, "upload.abc": operator} {
		for _, j := range junk {
			if subject == "beat.machine-3" && bytes.HasPrefix(j, []byte(`{"`)) {
				continue // a heartbeat may carry fields that this version does not know
			}
			if err := nc.Publish(subject, j); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-s.garbage:
				if got != subject {
					t.Fatalf("skipped a message on %s, want %s", got, subject)
				}
			case got := <-s.taken:
				t.Fatalf("BI-79: %.20q was taken on %s", j, got)
			case <-time.After(10 * time.Second):
				t.Fatalf("BI-79: %.20q on %s: nobody counted it", j, subject)
			}
		}
	}
	began := time.Now()
	data, err := json.Marshal(wire.Beat{Version: "1.25.1", PID: 7})
	if err == nil {
		err = agent.Publish("beat.machine-3", data)
	}
	if got := <-s.taken; err != nil || got != "beat.machine-3" {
		t.Fatalf("after garbage came %s, %v", got, err)
	}
	if took := time.Since(began); took > time.Second { // 100 ms on a machine of its own
		t.Errorf("the message behind garbage took %v", took)
	}
	if err := agent.Publish("beat.machine-3", make([]byte, 10<<20)); !errors.Is(err, nats.ErrMaxPayload) {
		t.Fatalf("a message of 10 MB: %v, want ErrMaxPayload", err)
	}
}

// What the log holds under a machine's orders and is no record is skipped by the machine.
func TestBI79GarbageAmongOrders(t *testing.T) {
	b := bustest.Start(t)
	creds, _ := b.Credentials(func(key string) (string, error) { return b.Accounts.AgentJWT("machine-3", key) })
	garbage := make(chan string, 10)
	agent := b.With(bus.ConnConfig{Credentials: creds, OnGarbage: func(subject string, _ error) { garbage <- subject }})
	taken := make(chan events.Record, 10)
	go func() { _ = agent.Orders(t.Context(), "machine-3", func(r events.Record) { taken <- r }) }()
	state, _, _ := raw(t, b, stateServerRole(b))
	for _, junk := range []string{"", "{", `{"stream":"LOG","seq":1}`, string(make([]byte, 256<<10))} {
		if _, err := state.Request("log.order.machine-3.agent", []byte(junk), 5*time.Second); err != nil {
			t.Fatal(err)
		}
		select {
		case <-garbage:
		case <-time.After(10 * time.Second):
			t.Fatalf("BI-79: nobody counted %.20q", junk)
		}
	}
	for len(garbage) > 0 {
		<-garbage
	}
	if len(taken) > 0 {
		t.Fatalf("garbage is taken for %+v", <-taken)
	}
}
