package statesrv_test

import (
	"sync"
	"testing"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// BenchmarkEnrol lets hosts enrol over 32 connections at once: tokens, keys and signatures of
// both sides, the log on disk, credentials. go test ./statesrv -run - -bench Enrol -benchtime 1000x
func BenchmarkEnrol(b *testing.B) {
	p := newPlace(b)
	p.start()
	type seat struct {
		token bus.JoinToken
		host  *bus.Identity
	}
	seats := make(chan seat, b.N)
	for left := b.N; left > 0; left -= 200 {
		secrets := map[string]*bus.Identity{}
		ask := &events.AskAddMachine{TTL: 3600}
		for range min(left, 200) {
			id := identity(b)
			secrets[id.Public()], ask.TokenKeys = id, append(ask.TokenKeys, id.Public())
		}
		seq, _ := p.log.Last(b.Context())
		p.ask(events.Ask{Action: events.ActionAddMachine, AddMachine: ask})
		last, _ := p.log.Last(b.Context())
		for rec, err := range p.log.Read(b.Context(), seq+1, last) {
			if err != nil {
				b.Fatal(err)
			}
			if payload, _ := events.Decode(rec); payload != nil {
				if invited, ok := payload.(*events.MachineInvited); ok {
					seats <- seat{bus.JoinToken{Environment: bustest.Environment, Machine: invited.Machine, Seed: string(secrets[invited.TokenKey].Seed())}, identity(b)}
				}
			}
		}
	}
	close(seats)
	creds := must(p.bus.Accounts.EnrolCredentials())
	var all sync.WaitGroup
	b.ResetTimer()
	for range 32 {
		conn := p.bus.With(bus.ConnConfig{Credentials: creds})
		all.Go(func() {
			for s := range seats {
				if _, err := conn.Enrol(b.Context(), s.token, s.host, wire.EnrolRequest{Hostname: "h", Version: bin("1.25.0").String()}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "machines/s")
}
