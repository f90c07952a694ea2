package bus_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// BI-65: who enrols, or renews, under a key must have it. Each case breaks one signature.
func TestBI65ProofOfPossession(t *testing.T) {
	b := bustest.Start(t)
	server := b.StateServer()
	stop, err := server.ServeEnrol(func(r bus.Enrolment) { r.Answer(wire.Enrolled{Machine: r.Machine}, nil) })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	stopRenew, err := server.ServeRenewals(func(r bus.Renewal) { r.Answer(wire.Renewed{JWT: "x"}, nil) })
	if err != nil {
		t.Fatal(err)
	}
	defer stopRenew()
	nc, _ := rawWith(t, b, enrolCredentials(t, b))
	var keys [3]*bus.Identity // the token's, the host's, a victim's
	for i := range keys {
		if keys[i], err = bus.NewIdentity(); err != nil {
			t.Fatal(err)
		}
	}
	token, host, victim := keys[0], keys[1], keys[2]
	sign := func(id *bus.Identity, kind string, data []byte) []byte {
		sig, err := id.Sign(events.PAE(kind, data))
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	for name, c := range map[string]struct {
		byToken, byKey *bus.Identity
		kind, want     string
	}{
		"as it should be":               {token, host, "jujube.enrol.v1", ""},
		"another's key":                 {token, victim, "jujube.enrol.v1", events.CodePossession},
		"without the secret":            {victim, host, "jujube.enrol.v1", events.CodeTokenProof},
		"signatures of another purpose": {token, host, "jujube.request.v1", events.CodeTokenProof},
	} {
		request, err := json.Marshal(wire.EnrolRequest{Environment: bustest.Environment, Machine: "3", TokenKey: token.Public(), Key: host.Public()})
		if err != nil {
			t.Fatal(err)
		}
		got := ask(t, nc, "enrol", map[string][]byte{
			"request": request, "by_token": sign(c.byToken, c.kind+".token", request), "by_key": sign(c.byKey, c.kind+".host", request),
		})
		if got != c.want {
			t.Errorf("enrol, %s: %q, want %q", name, got, c.want)
		}
	}
	renewal, err := json.Marshal(wire.RenewRequest{Environment: bustest.Environment, Machine: "3", Key: host.Public(), Nonce: "n"})
	if err != nil {
		t.Fatal(err)
	}
	for want, by := range map[string]*bus.Identity{"": host, events.CodePossession: victim} {
		if got := ask(t, nc, "renew", map[string][]byte{"request": renewal, "signature": sign(by, "jujube.renew.v1", renewal)}); got != want {
			t.Errorf("renew: %q, want %q", got, want)
		}
	}
	if got := ask(t, nc, "renew", map[string][]byte{"request": []byte(`{"machine":"3"}`)}); got != events.CodeRenewMalformed {
		t.Errorf("renew without a nonce: %q", got)
	}
}

// ask sends v and gives the code of the refusal.
func ask(t *testing.T, nc *nats.Conn, subject string, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	m, err := nc.Request(subject, data, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Refused *events.Reason }
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Refused == nil {
		return ""
	}
	return answer.Refused.Code
}

// A host with a join token becomes a machine with it, and can do nothing else.
func TestEnrolCanOnlyEnrol(t *testing.T) {
	b := bustest.Start(t)
	server := b.StateServer()
	stop, err := server.ServeEnrol(func(r bus.Enrolment) {
		token, err := b.Accounts.AgentJWT("machine-"+r.Machine, r.Key)
		r.Answer(wire.Enrolled{Machine: r.Machine, JWT: token}, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	creds := enrolCredentials(t, b)
	secret, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := bus.ParseJoinToken(bus.JoinToken{
		Environment: bustest.Environment, Name: "prod", Machine: "3", URLs: b.URLs, Authorities: b.Accounts.Certificates(),
		Enrol: creds, Seed: string(secret.Seed()),
	}.String())
	if err != nil {
		t.Fatal(err)
	}
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	conn := b.With(bus.ConnConfig{Credentials: token.Enrol})
	enrolled, err := conn.Enrol(t.Context(), token, id, wire.EnrolRequest{Hostname: "h", Version: "1.25.1-trusty-amd64"})
	if err != nil || enrolled.Machine != "3" {
		t.Fatalf("enrolled %+v, %v", enrolled, err)
	}
	agent := b.With(bus.ConnConfig{Credentials: bus.Credentials{JWT: enrolled.JWT, Seed: string(id.Seed())}})
	if err := agent.Beat("machine-3", wire.Beat{Version: "1.25.1"}); err != nil {
		t.Fatal(err)
	}
	nc, denied := rawWith(t, b, creds)
	for _, subject := range []string{"query.status", "report.machine-3", "beat.machine-3", "log.environment", "$JS.API.DIRECT.GET.LOG", "$JS.API.INFO"} {
		if err := errors.Join(nc.Publish(subject, nil), nc.Flush()); err != nil {
			t.Fatal(err)
		}
		mustDeny(t, denied, "publish to "+subject)
	}
	for _, bad := range []string{"", "jujube1.", "jujube1.!!!", "other", token.String()[:40]} {
		if _, err := bus.ParseJoinToken(bad); err == nil {
			t.Errorf("token %q was read", bad)
		}
	}
}

// B20: somebody with the credentials of a join token sends well-signed enrolments as fast as it can. An
// honest host waited 34 s; now the flood is refused by its allowance before any signature is checked.
func TestB20AFloodOfEnrolmentsHoldsUpNobody(t *testing.T) {
	b := bustest.Start(t)
	handled := make(chan string, 1<<20)
	stop, err := b.StateServer().ServeEnrol(func(r bus.Enrolment) {
		handled <- r.Machine
		r.Answer(wire.Enrolled{Machine: r.Machine}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	sealed := func(machine string) []byte {
		token, host := newIdentity(t), newIdentity(t)
		request, err := json.Marshal(wire.EnrolRequest{Machine: machine, TokenKey: token.Public(), Key: host.Public()})
		if err != nil {
			t.Fatal(err)
		}
		sign := func(id *bus.Identity, what string) []byte {
			sig, err := id.Sign(events.PAE("jujube.enrol.v1."+what, request))
			if err != nil {
				t.Fatal(err)
			}
			return sig
		}
		data, err := json.Marshal(map[string][]byte{"request": request, "by_token": sign(token, "token"), "by_key": sign(host, "host")})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	flood := b.Hostile(enrolCredentials(t, b))
	data, began := sealed("9999"), time.Now()
	const sent = 20_000
	for range sent {
		flood.Send("enrol", data)
	}
	asked := time.Now()
	answer, ok := b.Hostile(enrolCredentials(t, b)).Ask("enrol", sealed("7"), 20*time.Second)
	if !ok || !strings.Contains(string(answer), `"machine":"7"`) {
		t.Fatalf("B20: an honest host is answered %s", answer)
	}
	waited := time.Since(asked)
	n := 0
	for range len(handled) {
		if <-handled == "9999" {
			n++
		}
	}
	if most := limits.EnrolmentsAtOnce + int(time.Since(began)/limits.EnrolmentEvery) + 1; n > most {
		t.Errorf("B20: %d of a flood are looked at, at most %d may be", n, most)
	}
	if waited > 10*time.Second { // 0.2 s on a machine of its own
		t.Errorf("B20: an honest host waits %v", waited)
	}
	t.Logf("%d of %d enrolments are looked at; an honest host waits %v", n, sent, waited)
}

func newIdentity(t *testing.T) *bus.Identity {
	t.Helper()
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}
