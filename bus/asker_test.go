package bus_test

import (
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
)

// Who asks is known to NATS, whatever the asker says: in a header of his own, or in the options with which he
// connects.
func TestB21NobodyAsksInTheNameOfAnother(t *testing.T) {
	b := bustest.Start(t)
	alice := b.Operator("alice")
	from := make(chan string, 1)
	stop, err := b.StateServer().ServeQueries(func(q bus.Query) { from <- q.From })
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	creds, rita := b.Credentials(readerRole(b))
	nc, err := nats.Connect(b.URLs[0], nats.UserJWTAndSeed(creds.JWT, creds.Seed), nats.UserInfo(alice.Public(), "x"),
		nats.RootCAs(b.Authorities), nats.TLSHandshakeFirst(), nats.CustomInboxPrefix("_INBOX."+rita.Public()))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	forged := nats.NewMsg("query.version")
	forged.Header.Set("Nats-Request-Info", `{"user":"`+alice.Public()+`","jwt":"x"}`)
	if err := nc.PublishMsg(forged); err != nil {
		t.Fatal(err)
	}
	if who := <-from; who != rita.Public() {
		t.Errorf("rita, %s, asks as %q", rita.Public(), who)
	}
}
