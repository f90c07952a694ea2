package bus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
)

// B10: whoever asks names the subject of the answer, and NATS does not check it. With 2,100 bytes a
// machine made another one read a gigabyte, and a reader all operators. Here one user has every
// answer that he can ask for sent to each subject on which others hear something.
func TestB10AnswersReachNobodyElse(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *bustest.Bus{"embedded": bustest.Start, "separate": bustest.StartProcess} {
		t.Run(name, func(t *testing.T) { answersReachNobodyElse(t, start(t)) })
	}
}

func answersReachNobodyElse(t *testing.T, b *bustest.Bus) {
	state, _, _ := raw(t, b, stateServerRole(b))
	publish := func(subject, text string) {
		if _, err := state.Request(subject, []byte(text), 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	for _, subject := range []string{"log.environment", "log.trust", "log.order.machine-3.agent", "log.order.machine-3.units"} {
		publish(subject, "{}")
	}
	for _, subject := range []string{"report.*", "beat.*", "query.*"} {
		if _, err := state.Subscribe(subject, func(m *nats.Msg) { _ = m.Respond([]byte("an answer")) }); err != nil {
			t.Fatal(err)
		}
	}
	mallory, _, _ := raw(t, b, agentRole(b, "machine-3"))
	rita, _, _ := raw(t, b, readerRole(b))
	victim, victims, _ := raw(t, b, agentRole(b, "machine-4"))
	admin, admins, _ := raw(t, b, operatorRole(b))

	heard := make(chan *nats.Msg, 1000)
	hear := func(nc *nats.Conn, subjects ...string) {
		for _, s := range subjects {
			if _, err := nc.ChanSubscribe(s, heard); err != nil {
				t.Fatal(err)
			}
		}
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	hear(victim, "_R_.live.order.machine-4.*", "_R_.live.trust")
	hear(admin, "_R_.live.>")

	// It is where orders, trust news and everything else do arrive.
	for subject, times := range map[string]int{"log.order.machine-4.agent": 2, "log.trust": 2, "log.unit.web-0": 1} {
		publish(subject, "{}")
		for range times {
			if m := within(t, heard, "what LOG republishes"); m.Subject != "_R_.live."+strings.TrimPrefix(subject, "log.") {
				t.Fatalf("%s is heard on %s", subject, m.Subject)
			}
		}
	}
	batch := []byte(`{"seq":1,"batch":4}`)
	asks := []struct {
		nc       *nats.Conn
		subjects []string
	}{
		{mallory, []string{
			"$JS.API.DIRECT.GET.LOG.log.order.machine-3.agent", "$JS.API.DIRECT.GET.LOG.log.trust", "$JS.API.DIRECT.GET.OBJ_tools",
			"report.machine-3", "beat.machine-3",
		}},
		{rita, []string{"$JS.API.DIRECT.GET.LOG", "query.status"}},
	}
	var replies []string
	for _, live := range []string{"order.machine-4.agent", "order.machine-4.units", "trust", "environment", "unit.web-0"} {
		replies = append(replies, "live."+live, "_R_.live."+live, "_R_._R_.live."+live)
	}
	replies = append(replies, "_INBOX."+victims.Public()+".guess", "_INBOX."+admins.Public()+".guess", "report.machine-4", "beat.machine-4", "query.status")
	for _, a := range asks {
		for _, subject := range a.subjects {
			for _, reply := range replies {
				if err := a.nc.PublishRequest(subject, reply, batch); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := a.nc.Request(subject, batch, 10*time.Second); err != nil { // what came before it was handled
				t.Fatal(err)
			}
		}
	}
	for _, nc := range []*nats.Conn{victim, admin} {
		if err := nc.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for len(heard) > 0 {
		m := <-heard
		t.Errorf("B10: %d bytes of somebody else's answer are heard on %s", len(m.Data), m.Subject)
	}
}

func within[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(20 * time.Second):
		t.Fatalf("nobody hears %s", what)
	}
	return v
}

// B10: an agent hears its orders where nobody else can have anything delivered, and what is
// delivered where agents of before hear theirs does not reach it.
func TestB10AgentsHearTheirOrdersOnly(t *testing.T) {
	b := bustest.Start(t)
	state, _, _ := raw(t, b, stateServerRole(b))
	garbage, taken := make(chan string, 1000), make(chan events.Record, 1000)
	creds, _ := b.Credentials(agentRole(b, "machine-4"))
	victim := b.With(bus.ConnConfig{Credentials: creds, OnGarbage: func(subject string, err error) { garbage <- subject + ": " + err.Error() }})
	go func() { _ = victim.Orders(t.Context(), "machine-4", func(r events.Record) { taken <- r }) }()
	mallory, _, _ := raw(t, b, agentRole(b, "machine-3"))
	if _, err := state.Request("log.order.machine-3.agent", []byte("{}"), 5*time.Second); err != nil {
		t.Fatal(err)
	}
	own := func() string {
		if _, err := state.Request("log.order.machine-4.agent", []byte("garbage"), 5*time.Second); err != nil {
			t.Fatal(err)
		}
		return within(t, garbage, "an order")
	}
	own() // it listens
	if err := mallory.PublishRequest("$JS.API.DIRECT.GET.LOG.log.order.machine-3.agent", "live.order.machine-4.agent", nil); err != nil {
		t.Fatal(err)
	}
	if err := mallory.PublishRequest("$JS.API.DIRECT.GET.LOG.log.order.machine-3.agent", "_R_.live.order.machine-4.agent", nil); err != nil {
		t.Fatal(err)
	}
	if err := mallory.Flush(); err != nil {
		t.Fatal(err)
	}
	own()
	for len(garbage) > 0 {
		if got := <-garbage; !strings.HasPrefix(got, "log.order.machine-4.agent: ") {
			t.Errorf("B10: it heard %s", got)
		}
	}
	if len(taken) > 0 {
		t.Errorf("B10: it took %+v", <-taken)
	}
}

// An agent of before hears its orders, and trust news, where it did.
func TestAgentsOfBeforeHearTheirOrders(t *testing.T) {
	b := bustest.Start(t)
	state, _, _ := raw(t, b, stateServerRole(b))
	old, _, denied := raw(t, b, agentRole(b, "machine-4"))
	heard := make(chan *nats.Msg, 10)
	for _, s := range []string{"live.order.machine-4.*", "live.trust"} {
		if _, err := old.ChanSubscribe(s, heard); err != nil {
			t.Fatal(err)
		}
	}
	if err := old.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"order.machine-4.agent", "trust"} {
		if _, err := state.Request("log."+subject, []byte("{}"), 5*time.Second); err != nil {
			t.Fatal(err)
		}
		if m := within(t, heard, subject); m.Subject != "live."+subject {
			t.Errorf("it hears %s on %s", subject, m.Subject)
		}
	}
	if len(denied) > 0 {
		t.Error(<-denied)
	}
}
