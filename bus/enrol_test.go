package bus_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/nats-io/nats.go"
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
	creds, err := b.Accounts.EnrolCredentials()
	if err != nil {
		t.Fatal(err)
	}
	own, err := bus.ParseIdentity([]byte(creds.Seed))
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(b.URLs[0], nats.UserJWTAndSeed(creds.JWT, creds.Seed),
		nats.RootCAs(b.Authorities), nats.TLSHandshakeFirst(), nats.CustomInboxPrefix("_INBOX."+own.Public()))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
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
