package bus_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
)

// raw is a plain NATS connection with the credentials of a role: what a hostile holder of
// them can do, whom no client of ours holds back. denied gets what NATS refuses.
func raw(t *testing.T, b *bustest.Bus, sign func(key string) (string, error)) (nc *nats.Conn, id *bus.Identity, denied chan error) {
	t.Helper()
	creds, id := b.Credentials(sign)
	nc, denied = rawWith(t, b, creds)
	return nc, id, denied
}

// rawWith is raw with some credentials.
func rawWith(t *testing.T, b *bustest.Bus, creds bus.Credentials) (nc *nats.Conn, denied chan error) {
	t.Helper()
	id, err := creds.Identity()
	if err != nil {
		t.Fatal(err)
	}
	denied = make(chan error, 100)
	nc, err = nats.Connect(b.URLs[0], nats.UserJWTAndSeed(creds.JWT, creds.Seed),
		nats.RootCAs(b.Authorities), nats.TLSHandshakeFirst(),
		nats.CustomInboxPrefix("_INBOX."+id.Public()),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc, denied
}

// enrolCredentials are those that a join token holds.
func enrolCredentials(t *testing.T, b *bustest.Bus) bus.Credentials {
	t.Helper()
	creds, err := b.Accounts.EnrolCredentials()
	if err != nil {
		t.Fatal(err)
	}
	return creds
}

func agentRole(b *bustest.Bus, tag string) func(string) (string, error) {
	return func(key string) (string, error) { return b.Accounts.AgentJWT(tag, key) }
}

func readerRole(b *bustest.Bus) func(string) (string, error) {
	return func(key string) (string, error) { return b.Accounts.ReaderJWT("rita", key) }
}

func stateServerRole(b *bustest.Bus) func(string) (string, error) {
	return func(key string) (string, error) { return b.Accounts.StateServerJWT("state-server-9", key) }
}

func operatorRole(b *bustest.Bus) func(string) (string, error) {
	return func(key string) (string, error) { return b.Accounts.OperatorJWT("alice", key) }
}

// mustDeny waits until NATS refuses what was sent last.
func mustDeny(t *testing.T, denied chan error, what string) {
	t.Helper()
	select {
	case err := <-denied:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s: %v, want a permission violation", what, err)
		}
	case <-time.After(5 * time.Second):
		t.Fatalf("%s: NATS does not refuse it", what)
	}
}
