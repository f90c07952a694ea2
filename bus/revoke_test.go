package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events/wire"
)

// BI-69: revoked credentials are cut off at once and do not come back; those of others,
// and newer ones of the same key, hold. On the embedded server and on a separate one.
func TestBI69RevokedCredentialsAreCutOff(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *bustest.Bus{"embedded": bustest.Start, "separate": bustest.StartProcess} {
		t.Run(name, func(t *testing.T) {
			b := start(t)
			id, err := bus.NewIdentity()
			if err != nil {
				t.Fatal(err)
			}
			token, err := b.Accounts.AgentJWT("machine-3", id.Public())
			if err != nil {
				t.Fatal(err)
			}
			creds := bus.Credentials{JWT: token, Seed: string(id.Seed())}
			denied := make(chan struct{}, 100)
			victim := b.With(bus.ConnConfig{Credentials: creds, OnDenied: func() { denied <- struct{}{} }})
			other := b.Agent("machine-4")
			system, err := b.Accounts.SystemCredentials()
			if err != nil {
				t.Fatal(err)
			}
			nats := b.With(bus.ConnConfig{Credentials: system})
			began := time.Now()
			revoke(t, b, nats, map[string]time.Time{id.Public(): began})
			<-denied // it was dropped, tried to come back, and was refused
			t.Logf("refused %v after it was revoked", time.Since(began))
			for again := 0; victim.Connected(); again++ { // its end follows the word: it is refused again and again
				if again == 10 {
					t.Fatal("it is connected all the same")
				}
				<-denied
			}
			if err := other.Beat("machine-4", wire.Beat{}); err != nil || !other.Connected() {
				t.Errorf("another one was cut off, too: %v", err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if _, err := bus.Connect(ctx, bus.ConnConfig{URLs: b.URLs, Authorities: b.Authorities, Credentials: creds}); !errors.Is(err, bus.ErrDenied) {
				t.Errorf("connecting anew: %v, want ErrDenied", err)
			}
			revoke(t, b, nats, map[string]time.Time{id.Public(): began.Add(-time.Minute)})
			b.With(bus.ConnConfig{Credentials: creds}) // made after that
		})
	}
}

func revoke(t *testing.T, b *bustest.Bus, system *bus.Conn, machines map[string]time.Time) {
	t.Helper()
	claims, err := b.Accounts.Revocations(server.Revoked{Machines: machines})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if err := system.UpdateAccount(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}

// What was revoked stays revoked when NATS starts again.
func TestRevocationsOutliveTheServer(t *testing.T) {
	b := bustest.Start(t)
	creds, id := b.Credentials(func(key string) (string, error) { return b.Accounts.AgentJWT("machine-3", key) })
	system, err := b.Accounts.SystemCredentials()
	if err != nil {
		t.Fatal(err)
	}
	revoke(t, b, b.With(bus.ConnConfig{Credentials: system}), map[string]time.Time{id.Public(): time.Now()})
	b.Restart()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = bus.Connect(ctx, bus.ConnConfig{URLs: b.URLs, Authorities: b.Authorities, Credentials: creds})
	if !errors.Is(err, bus.ErrDenied) {
		t.Errorf("connecting after a restart: %v, want ErrDenied", err)
	}
}

// Who tells NATS whose credentials are revoked can do nothing else there.
func TestTheSystemUserOnlyRevokes(t *testing.T) {
	b := bustest.Start(t)
	creds, err := b.Accounts.SystemCredentials()
	if err != nil {
		t.Fatal(err)
	}
	nc, denied := rawWith(t, b, creds)
	for _, subject := range []string{"$SYS.REQ.SERVER.PING", "$SYS.REQ.CLAIMS.DELETE", "$SYS.REQ.CLAIMS.UPDATE", "$SYS.REQ.SERVER.X.RELOAD", "log.environment"} {
		if err := nc.Publish(subject, []byte("x")); err != nil {
			t.Fatal(err)
		}
		mustDeny(t, denied, "publish to "+subject)
	}
	if _, err := nc.SubscribeSync("$SYS.>"); err != nil {
		t.Fatal(err)
	}
	mustDeny(t, denied, "subscribe to $SYS.>")
}
