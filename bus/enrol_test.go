package bus_test

import (
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
