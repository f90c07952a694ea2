package statesrv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// token invites a new machine and gives its join token.
func (p *place) token(ask events.AskAddMachine) bus.JoinToken {
	p.Helper()
	secret, creds := identity(p), must(p.bus.Accounts.EnrolCredentials())
	ask.TokenKeys = []string{secret.Public()}
	if ask.TTL == 0 {
		ask.TTL = 60
	}
	seq, _ := p.log.Last(p.Context())
	if _, decision := p.ask(events.Ask{Action: events.ActionAddMachine, AddMachine: &ask}); strings.Contains(decision, "refused") {
		p.Fatalf("adding a machine: %s", decision)
	}
	invited := decode[*events.MachineInvited](p, p.waitKind(seq, "machine.invited/1"))
	return bus.JoinToken{
		Environment: bustest.Environment, Machine: invited.Machine, URLs: p.bus.URLs, Authorities: p.bus.Accounts.Certificates(),
		Enrol: creds, Seed: string(secret.Seed()), Labels: invited.Labels,
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func identity(t testing.TB) *bus.Identity {
	t.Helper()
	return must(bus.NewIdentity())
}

// host plays a host that has a join token.
type host struct {
	*place
	id    *bus.Identity
	conn  *bus.Conn // of the ENROL account
	facts wire.EnrolRequest
}

func (p *place) newHost(token bus.JoinToken) *host {
	return &host{
		place: p, id: identity(p), conn: p.bus.With(bus.ConnConfig{Credentials: token.Enrol}),
		facts: wire.EnrolRequest{Hostname: "h", Version: bin("1.25.0").String()},
	}
}

func (h *host) enrol(token bus.JoinToken) (wire.Enrolled, error) {
	return h.conn.Enrol(h.Context(), token, h.id, h.facts)
}

func (h *host) renew(machine string, generation uint64, nonce string) (wire.Renewed, error) {
	return h.conn.Renew(h.Context(), h.id, wire.RenewRequest{Environment: bustest.Environment, Machine: machine, Generation: generation, Nonce: nonce})
}

// code is the code of a refusal, empty for no error, and the text of an error that has no code.
func code(err error) string {
	if code := events.CodeOf(err); code != "" || err == nil {
		return code
	}
	return err.Error()
}

func TestEnrolmentsThatAreRefused(t *testing.T) {
	p := newPlace(t)
	p.start()
	t.Run("BI-61 a token that fifty hosts use at once makes one machine", func(t *testing.T) {
		token := p.token(events.AskAddMachine{})
		var mu sync.Mutex
		codes := map[string]int{}
		var all sync.WaitGroup
		for range 50 {
			h := p.newHost(token)
			all.Go(func() {
				_, err := h.enrol(token)
				mu.Lock()
				defer mu.Unlock()
				codes[code(err)]++
			})
		}
		all.Wait()
		if codes[""] != 1 || codes["token-used"] != 49 {
			t.Errorf("codes %v, want one success and 49 token-used", codes)
		}
	})
	t.Run("BI-62 bad tokens", func(t *testing.T) {
		for want, change := range map[string]func(*bus.JoinToken){
			"token-environment": func(b *bus.JoinToken) { b.Environment = "another" },
			"token-unknown":     func(b *bus.JoinToken) { b.Machine = "999" },
			"token-wrong":       func(b *bus.JoinToken) { b.Seed = string(identity(t).Seed()) },
			"token-expired":     func(*bus.JoinToken) { p.ahead.Store(int64(2 * time.Minute)) },
		} {
			token := p.token(events.AskAddMachine{})
			change(&token)
			if _, err := p.newHost(token).enrol(token); code(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
			p.ahead.Store(0)
		}
		whole := p.token(events.AskAddMachine{}).String()
		for n := 0; n < len(whole); n += 97 {
			if _, err := bus.ParseJoinToken(whole[:n]); code(err) != events.CodeTokenMalformed {
				t.Errorf("the first %d characters: %v", n, err)
			}
		}
	})
	t.Run("BI-65 a key without its seed", func(t *testing.T) {
		token := p.token(events.AskAddMachine{})
		h := p.newHost(token)
		if _, err := h.renew("0", 0, "n"); code(err) != "not-a-machine" {
			t.Errorf("renewing machine 0's credentials with another key: %v", err)
		}
	})
	t.Run("BI-70 a hostname is text, and short", func(t *testing.T) {
		for _, name := range []string{"\x1b[2J\x07h", "a\x00b", "<script>\n", strings.Repeat("é", 2000), "\u202e\xff"} {
			token := p.token(events.AskAddMachine{})
			h := p.newHost(token)
			h.facts.Hostname = name
			if _, err := h.enrol(token); err != nil {
				t.Fatal(err)
			}
			got := p.state().Machines[token.Machine].Hostname
			if len(got) > 253 || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) || got == "" {
				t.Errorf("%q is kept as %q", name, got)
			}
		}
		token := p.token(events.AskAddMachine{})
		h := p.newHost(token)
		h.facts.Hostname = strings.Repeat("h", 10<<10)
		if _, err := h.enrol(token); err == nil { // NATS drops who sends that
			t.Errorf("a name of 10 KB was taken")
		}
	})
}

func TestPendingMachines(t *testing.T) {
	p := newPlace(t)
	p.start()
	token := p.token(events.AskAddMachine{Approve: true, Labels: map[string]string{"env": "prod"}})
	h := p.newHost(token)
	h.facts.Host = strings.Repeat("a", 64)
	enrolled, err := h.enrol(token)
	if err != nil {
		t.Fatal(err)
	}
	m := p.state().Machines[token.Machine]
	if m.Life != projections.LifePending || m.Labels["env"] != "prod" {
		t.Errorf("the machine is %+v", m)
	}
	t.Run("BI-68 nothing is delivered to a pending machine", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := bus.Connect(ctx, bus.ConnConfig{
			URLs: p.bus.URLs, Authorities: p.bus.Authorities, Credentials: bus.Credentials{JWT: enrolled.JWT, Seed: string(h.id.Seed())},
		})
		if !errors.Is(err, bus.ErrDenied) {
			t.Errorf("it connects: %v", err)
		}
		if _, err := h.renew(token.Machine, 0, "n1"); code(err) != "pending" {
			t.Errorf("it renews: %v", err)
		}
		for _, ask := range []events.Ask{
			{Action: events.ActionDeploy, Deploy: &events.AskDeploy{Service: "web", Machine: token.Machine, Command: []string{"x"}, Restart: "always"}},
			{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: []string{"machine-" + token.Machine}}},
			{Action: events.ActionResolved, Resolved: token.Machine},
		} {
			if _, decision := p.ask(ask); !strings.Contains(decision, "no-such-machine") {
				t.Errorf("%s: %s", ask.Action, decision)
			}
		}
	})
	if _, decision := p.ask(events.Ask{Action: events.ActionApproveMachine, ApproveMachine: token.Machine}); strings.Contains(decision, "refused") {
		t.Fatal(decision)
	}
	renewed, err := h.renew(token.Machine, 0, "n1")
	if err != nil {
		t.Fatal(err)
	}
	p.bus.With(bus.ConnConfig{Credentials: bus.Credentials{JWT: renewed.JWT, Seed: string(h.id.Seed())}})
	t.Run("BI-66 a host that was a machine before waits", func(t *testing.T) {
		again := p.token(events.AskAddMachine{})
		h2 := p.newHost(again)
		h2.facts.Host = h.facts.Host
		if _, err := h2.enrol(again); err != nil {
			t.Fatal(err)
		}
		if m := p.state().Machines[again.Machine]; m.Life != projections.LifePending || !strings.Contains(m.Pending, "machine "+token.Machine) {
			t.Errorf("the machine is %+v", m)
		}
	})
}

// Renewals count up; the same try is answered again; a copy of a machine's files is found.
func TestBI67GenerationsFindCopies(t *testing.T) {
	p := newPlace(t)
	p.start()
	token := p.token(events.AskAddMachine{})
	h := p.newHost(token)
	if _, err := h.enrol(token); err != nil {
		t.Fatal(err)
	}
	day := int64(24 * time.Hour)
	for generation := range uint64(3) {
		nonce := fmt.Sprintf("n%d", generation)
		for range 2 { // the first answer was lost
			r, err := h.renew(token.Machine, generation, nonce)
			if err != nil {
				t.Fatal(err)
			}
			if life, err := bus.LifeOf(r.JWT); err != nil || life.Generation != generation+1 {
				t.Fatalf("generation %d was followed by %+v, %v", generation, life, err)
			}
		}
		if _, err := h.renew(token.Machine, generation+1, "early"); code(err) != "too-early" {
			t.Errorf("renewed again at once: %v", err)
		}
		p.ahead.Add(day)
	}
	r := must(h.renew(token.Machine, 3, "n3"))
	denied := make(chan struct{}, 100)
	p.bus.With(bus.ConnConfig{Credentials: bus.Credentials{JWT: r.JWT, Seed: string(h.id.Seed())}, OnDenied: func() { denied <- struct{}{} }})
	if _, err := h.renew(token.Machine, 3, "copy"); code(err) != events.CodeClone {
		t.Errorf("a copy that renews what was renewed: %v, want clone", err)
	}
	m := p.state().Machines[token.Machine]
	if m.Life != projections.LifeQuarantined {
		t.Fatalf("the machine is %+v", m)
	}
	<-denied // it was dropped, and refused when it came back
	if _, err := h.renew(token.Machine, 4, "n4"); code(err) != events.CodeClone {
		t.Errorf("the other one renews: %v, want clone, too", err)
	}
	if _, decision := p.ask(events.Ask{Action: events.ActionApproveMachine, ApproveMachine: token.Machine}); strings.Contains(decision, "refused") {
		t.Fatal(decision)
	}
	p.ahead.Add(int64(2 * time.Second))
	if _, err := h.renew(token.Machine, 3, "backup"); err != nil {
		t.Errorf("after the approval: %v", err)
	}
	if _, err := h.renew(token.Machine, 4, "n4"); code(err) != events.CodeClone {
		t.Errorf("the other one, after one was let in again: %v", err)
	}
}

// Nobody guesses a secret of 256 bits, and whoever sends wrong tokens shuts nobody out.
func TestB19WrongTokensLockNobodyOut(t *testing.T) {
	p := newPlace(t)
	p.start()
	token := p.token(events.AskAddMachine{})
	guesser := p.newHost(token)
	for range 30 {
		guess := token
		guess.Seed = string(identity(t).Seed())
		if _, err := guesser.enrol(guess); code(err) != "token-wrong" {
			t.Fatalf("BI-64: a wrong token: %v", err)
		}
	}
	if _, err := p.newHost(token).enrol(token); err != nil {
		t.Fatalf("the host that was invited: %v", err)
	}
}
