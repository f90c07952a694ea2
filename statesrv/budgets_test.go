package statesrv_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// withRoster makes a place whose roster has others beside alice, each with one role.
func withRoster(t *testing.T, roles map[*bus.Identity]string) *place {
	t.Helper()
	p := newPlace(t)
	server, err := p.creds.Identity()
	if err != nil {
		t.Fatal(err)
	}
	roster := events.Roster{Operators: []events.Operator{admin(p.alice)}, StateServers: []string{server.Public()}}
	for id, role := range roles {
		roster.Operators = append(roster.Operators, events.Operator{Name: role, Key: id.Public(), Grants: []events.Grant{{Role: role}}})
	}
	p.site = siteOf(t, roster)
	return p
}

// flooder connects somebody who may publish requests, for all that NATS knows.
func (p *place) flooder(id *bus.Identity) *bustest.Hostile {
	p.Helper()
	token, err := p.bus.Accounts.OperatorJWT("flooder", id.Public())
	if err != nil {
		p.Fatal(err)
	}
	return p.bus.Hostile(bus.Credentials{JWT: token, Seed: string(id.Seed())})
}

// B12: an operator, and somebody who was one, send 64 KiB after 64 KiB, garbage and signed nonsense.
// Requests stay for ever, so that filled the disk at 50 MB a second, and an honest request waited ten
// seconds. B22: the reader's credentials are those of an operator still.
func TestB12RequestsFillNoDisk(t *testing.T) {
	bob, rita, stranger := identity(t), identity(t), identity(t)
	p := withRoster(t, map[*bus.Identity]string{bob: events.RoleOperate, rita: events.RoleRead})
	p.start()
	before, _ := p.bus.RequestsStored()
	refusals := map[string]string{}
	for _, c := range []struct {
		name string
		id   *bus.Identity
		data func(id string) []byte
	}{
		{"garbage of an operator", bob, func(string) []byte { return bytes.Repeat([]byte{'x'}, limits.RequestBytes) }},
		{"signed by a reader", rita, func(id string) []byte { return signed(t, rita, id, 0) }},
		{"signed by a stranger", stranger, func(id string) []byte { return signed(t, stranger, id, 0) }},
		{"signed by another one", bob, func(id string) []byte { return signed(t, rita, id, 0) }},
		{"another id", bob, func(string) []byte { return signed(t, bob, "other", 0) }},
		{"too large", bob, func(string) []byte { return make([]byte, limits.RequestBytes+1) }},
	} {
		id := newID()
		refusals[c.name] = "not heard"
		if answer, ok := p.flooder(c.id).Ask("requests."+c.id.Public()+"."+id, c.data(id), 2*time.Second); ok {
			refusals[c.name] = refusal(t, answer)
		}
	}
	for name, want := range map[string]string{
		"garbage of an operator": "req-signature", "signed by a reader": "req-scope", "signed by a stranger": "req-operator",
		"signed by another one": "malformed", "another id": "malformed", "too large": "not heard",
	} {
		if refusals[name] != want {
			t.Errorf("B12: %s: %q, want %q", name, refusals[name], want)
		}
	}
	if after, _ := p.bus.RequestsStored(); after != before {
		t.Errorf("B12: %d of these requests are stored", after-before)
	}
	p.floodRequests(bob)
}

// floodRequests sends signed nonsense as fast as it can, while alice asks for something.
func (p *place) floodRequests(by *bus.Identity) {
	p.Helper()
	flooder := p.flooder(by)
	began := time.Now()
	const sent = 4 * limits.RequestsAtOnce
	for range sent {
		id := newID()
		flooder.Send("requests."+by.Public()+"."+id, signed(p, by, id, 40<<10))
	}
	asked := time.Now()
	ask := events.Ask{
		Action: events.ActionSetEnv, SetEnv: map[string]string{"agent-lost-after": "31s"}, ID: newID(), Environment: bustest.Environment,
		Created: asked, Until: asked.Add(events.MaxRequestLife), Expires: asked.Add(5 * time.Minute),
	}
	for p.store(ask) != nil { // as a client does
	}
	if got := p.decision(ask.ID); got != changed {
		p.Errorf("B12: an honest request is %q", got)
	}
	waited := time.Since(asked)
	var codes []string
	for range sent {
		answer, ok := flooder.Answer(5 * time.Second)
		if !ok {
			break // nobody promises an answer to somebody who floods
		}
		codes = append(codes, refusal(p, answer))
	}
	took := time.Since(began)
	if !slices.Contains(codes, "too-often") {
		p.Errorf("B12: nothing of the flood is refused")
	}
	n, size := p.bus.RequestsStored()
	if most := limits.RequestsAtOnce + uint64(took/limits.RequestEvery) + 2; n > most {
		p.Errorf("B12: %d requests are stored, at most %d may be", n, most)
	}
	if waited > 10*time.Second { // 60 ms on a machine of its own
		p.Errorf("B12: an honest request waited %v", waited)
	}
	p.Logf("%d requests in %v: %d bytes are stored; an honest one waited %v", sent, took, size, waited)
}

// signed is a request that asks for nothing that exists, as large as fill makes it.
func signed(t testing.TB, by *bus.Identity, id string, fill int) []byte {
	t.Helper()
	ask := events.Ask{
		ID: id, Environment: bustest.Environment, Action: "nonsense", Created: time.Now(), Expires: time.Now().Add(time.Minute),
		UnsetEnv: []string{strings.Repeat("x", fill)},
	}
	statement, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := by.Sign(events.PAE(events.RequestType, statement))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(events.Signed{Statement: statement, Key: by.Public(), Signature: signature})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// refusal is the code with which a request was refused; empty: it is stored.
func refusal(t testing.TB, data []byte) string {
	t.Helper()
	var answer struct {
		Seq     uint64
		Error   *struct{ Description string } // what clients of before read
		Refused *events.Reason
	}
	if len(data) == 0 { // from NATS: nobody serves the subject
		return events.CodeUnavailable
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Refused == nil {
		return ""
	}
	if answer.Error == nil || answer.Error.Description != answer.Refused.Error() {
		t.Errorf("a client of before reads %s", data)
	}
	return answer.Refused.Code
}

// B22: NATS lets an operator in who was removed, until it has been told. He is answered nothing.
func TestB22WhoIsNotOnTheRosterIsAnsweredNothing(t *testing.T) {
	p := newPlace(t)
	p.start()
	gone := p.bus.Operator("gone")
	for _, question := range []string{"status", "environment", "operator-credentials", "enrol-credentials"} {
		if _, err := gone.Ask(p.Context(), question, []byte("{}")); err == nil || !strings.Contains(err.Error(), events.CodeRequestOperator) {
			t.Errorf("B22: he asks for %s: %v", question, err)
		}
	}
	if _, err := p.alice.Ask(p.Context(), "environment", []byte("{}")); err != nil {
		t.Error(err)
	}
	// What is signed of the log says nothing of what lies in it, and everybody is its witness.
	if _, err := wire.LogProof.Ask(p.Context(), gone, 0); err != nil && strings.Contains(err.Error(), events.CodeRequestOperator) {
		t.Error(err)
	}
}
