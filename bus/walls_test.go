package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events"
	"github.com/nats-io/nats.go"
)

// raw is a plain NATS connection with a role's credentials: what a hostile holder of
// them can do, beyond our own client.
func raw(t *testing.T, b *bustest.Bus, sign func(key string) (string, error)) (*nats.Conn, *bus.Identity, chan error) {
	t.Helper()
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := sign(id.Public())
	if err != nil {
		t.Fatal(err)
	}
	denied := make(chan error, 100)
	nc, err := nats.Connect(b.URLs[0], nats.UserJWTAndSeed(token, string(id.Seed())),
		nats.RootCAs(b.Authorities), nats.TLSHandshakeFirst(),
		nats.CustomInboxPrefix("_INBOX."+id.Public()),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { denied <- err }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc, id, denied
}

func agentRole(b *bustest.Bus, tag string) func(string) (string, error) {
	return func(key string) (string, error) { return b.Trust.AgentJWT(tag, key) }
}

func operatorRole(b *bustest.Bus) func(string) (string, error) {
	return func(key string) (string, error) { return b.Trust.OperatorJWT("alice", key) }
}

func TestForbiddenPublishes(t *testing.T) {
	b := bustest.Start(t)
	operator := b.Operator("bob")
	for role, sign := range map[string]func(string) (string, error){
		"agent": agentRole(b, "machine-3"), "operator": operatorRole(b),
	} {
		t.Run(role, func(t *testing.T) {
			nc, _, denied := raw(t, b, sign)
			for _, subject := range []string{
				"log.environment", "log.order.machine-3.agent", "live.environment", "requests." + operator.Public() + ".x",
				"report.machine-4", "beat.machine-4", "$JS.API.STREAM.DELETE.LOG", "$JS.API.STREAM.UPDATE.LOG", "$JS.API.STREAM.PURGE.LOG",
				"$JS.API.STREAM.MSG.GET.LOG", "$JS.API.STREAM.MSG.DELETE.LOG", "$JS.API.CONSUMER.CREATE.LOG.x.log.>", "$JS.API.STREAM.SNAPSHOT.LOG",
				"$JS.API.DIRECT.GET.LOG.log.order.machine-4.agent", "$O.tools.C.x", "$KV.lease.leader", "$SYS.REQ.SERVER.PING",
			} {
				if err := nc.Publish(subject, []byte("x")); err != nil {
					t.Fatal(err)
				}
				if err := nc.Flush(); err != nil {
					t.Fatal(err)
				}
				if err := <-denied; !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(err.Error(), subject) {
					t.Errorf("publish to %s: %v, want a permission violation", subject, err)
				}
			}
		})
	}
	if last, err := operator.Log().Last(t.Context()); err != nil || last != 0 {
		t.Fatalf("the log ends at %d, %v; want 0", last, err)
	}
}

func TestForbiddenSubscriptions(t *testing.T) {
	b := bustest.Start(t)
	for role, subjects := range map[string][]string{
		"agent":    {">", "live.>", "live.order.machine-4.agent", "live.order.*.agent", "report.*", "_INBOX.>", "requests.>", "$SYS.>"},
		"operator": {">", "log.>", "requests.>", "report.*", "query.*", "_INBOX.>", "enrol", "$SYS.>", "$KV.>"},
	} {
		t.Run(role, func(t *testing.T) {
			sign := operatorRole(b)
			if role == "agent" {
				sign = agentRole(b, "machine-3")
			}
			nc, _, denied := raw(t, b, sign)
			for _, subject := range subjects {
				if _, err := nc.SubscribeSync(subject); err != nil {
					t.Fatal(err)
				}
				if err := nc.Flush(); err != nil {
					t.Fatal(err)
				}
				if err := <-denied; !errors.Is(err, nats.ErrPermissionViolation) {
					t.Errorf("subscribe to %s: %v, want a permission violation", subject, err)
				}
			}
		})
	}
}

// A reply subject is not checked against permissions: within one account an agent could
// let the server write anywhere in its name. Nothing of it may reach CONTROL.
func TestReplySubjectsReachNothing(t *testing.T) {
	b := bustest.Start(t)
	log := b.StateServer().Log()
	if _, err := log.Append(t.Context(), 0, setting(t, "a")); err != nil {
		t.Fatal(err)
	}
	victim, _, _ := raw(t, b, agentRole(b, "machine-4"))
	heard, err := victim.SubscribeSync("live.order.machine-4.agent")
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Flush(); err != nil {
		t.Fatal(err)
	}
	nc, id, _ := raw(t, b, agentRole(b, "machine-3"))
	for _, reply := range []string{"log.environment", "log.order.machine-4.agent", "requests.X.y", "report.machine-4", "$O.tools.C.x"} {
		for _, subject := range []string{"$JS.API.DIRECT.GET.LOG.log.order.machine-3.agent", "report.machine-3", "$JS.API.DIRECT.GET.OBJ_tools"} {
			if err := nc.PublishRequest(subject, reply, []byte(`{"seq":1,"batch":1}`)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A round trip on the same connection: what came before it was handled.
	if _, err := nc.Request("$JS.API.DIRECT.GET.LOG.log.order.machine-3.agent", nil, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if last, err := log.Last(t.Context()); err != nil || last != 1 {
		t.Fatalf("the log ends at %d, %v; want 1: %s wrote into it", last, err, id.Public())
	}
	if err := victim.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := heard.Pending(); err != nil || n != 0 {
		t.Fatalf("machine-4 heard %d messages, %v; want none", n, err)
	}
}

func TestRequestIsWriteOnce(t *testing.T) {
	b := bustest.Start(t)
	alice := b.Operator("alice")
	ask := events.Ask{
		ID: "r1", Environment: bustest.Environment, Action: events.ActionSetEnv, Created: time.Unix(1, 0), Expires: time.Unix(2, 0),
		SetEnv: map[string]string{"a": "1"},
	}
	first, err := alice.PublishRequest(t.Context(), alice.Identity(), ask)
	if err != nil {
		t.Fatal(err)
	}
	again, err := alice.PublishRequest(t.Context(), alice.Identity(), ask)
	if err != nil || again != first {
		t.Fatalf("the same request again: sequence %d, %v; want %d", again, err, first)
	}
	ask.SetEnv["a"] = "2"
	if _, err := alice.PublishRequest(t.Context(), alice.Identity(), ask); !errors.Is(err, bus.ErrExists) {
		t.Fatalf("another request under the same id: %v, want ErrExists", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan bus.Request)
	go func() { _ = b.StateServer().Requests(ctx, 1, func(r bus.Request) { got <- r }) }()
	r := <-got
	cancel()
	signed, asked, err := events.ParseSigned(r.Data)
	if err != nil || asked.SetEnv["a"] != "1" || r.ID != "r1" || r.Key != alice.Public() || r.Seq != first {
		t.Fatalf("received %+v with %+v, %v", r, asked, err)
	}
	if err := bus.Verify(signed.Key, events.PAE(events.RequestType, signed.Statement), signed.Signature); err != nil {
		t.Fatal(err)
	}
	signed.Statement[0]++
	if err := bus.Verify(signed.Key, events.PAE(events.RequestType, signed.Statement), signed.Signature); !errors.Is(err, bus.ErrSignature) {
		t.Fatalf("an altered statement verifies: %v", err)
	}
}

func TestEnrolCanOnlyEnrol(t *testing.T) {
	b := bustest.Start(t)
	server := b.StateServer()
	stop, err := server.ServeEnrol(func(r bus.EnrolRequest) {
		token, err := b.Trust.AgentJWT("machine-"+r.Machine, r.Key)
		r.Answer(bus.Enrolled{Machine: r.Machine, JWT: token}, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	creds, err := b.Trust.EnrolCredentials()
	if err != nil {
		t.Fatal(err)
	}
	secret, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := bus.ParseJoinToken(bus.JoinToken{
		Environment: bustest.Environment, Name: "prod", Machine: "3", URLs: b.URLs, Authorities: b.Trust.Certificates(), Enrol: creds, Seed: string(secret.Seed()),
	}.String())
	if err != nil {
		t.Fatal(err)
	}
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	conn := b.With(bus.ConnConfig{Credentials: token.Enrol})
	enrolled, err := conn.Enrol(t.Context(), token, id, bus.EnrolRequest{Hostname: "h", Version: "1.25.1-trusty-amd64"})
	if err != nil || enrolled.Machine != "3" {
		t.Fatalf("enrolled %+v, %v", enrolled, err)
	}
	agent := b.With(bus.ConnConfig{Credentials: bus.Credentials{JWT: enrolled.JWT, Seed: string(id.Seed())}})
	if err := agent.Beat("machine-3", bus.Beat{Version: "1.25.1"}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := conn.Ask(ctx, "status", nil); err == nil {
		t.Fatal("a host with a join token may query")
	}
	for _, bad := range []string{"", "jujube1.", "jujube1.!!!", "other", token.String()[:40]} {
		if _, err := bus.ParseJoinToken(bad); err == nil {
			t.Errorf("token %q was read", bad)
		}
	}
}

func TestGarbageIsCountedAndSkipped(t *testing.T) {
	b := bustest.Start(t)
	garbage := make(chan string, 100)
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := b.Trust.StateServerJWT("state-server-0", id.Public())
	if err != nil {
		t.Fatal(err)
	}
	server := b.With(bus.ConnConfig{
		Credentials: bus.Credentials{JWT: token, Seed: string(id.Seed())},
		OnGarbage:   func(subject string, _ error) { garbage <- subject },
	})
	beats := make(chan bus.Beat, 1)
	var stops []func()
	serve := func(stop func(), err error) {
		if err != nil {
			t.Fatal(err)
		}
		stops = append(stops, stop)
	}
	serve(server.ServeBeats(func(_ string, beat bus.Beat) { beats <- beat }))
	serve(server.ServeEnrol(func(bus.EnrolRequest) { t.Error("garbage was taken for an enrolment") }))
	serve(server.ServeUploads(func(bus.Piece) { t.Error("garbage was taken for a piece") }))
	nc, _, _ := raw(t, b, func(key string) (string, error) { return b.Trust.StateServerJWT("x", key) })
	for _, junk := range [][]byte{{}, []byte("{"), []byte(`{"stream":"LOG","seq":1}`), make([]byte, 900<<10), []byte("\x00\xff")} {
		for _, subject := range []string{"beat.machine-3", "enrol", "upload.abc"} {
			if subject == "beat.machine-3" && strings.HasPrefix(string(junk), `{"`) {
				continue // a heartbeat may carry fields that this version does not know
			}
			if err := nc.Publish(subject, junk); err != nil {
				t.Fatal(err)
			}
			if got := <-garbage; got != subject {
				t.Fatalf("skipped a message on %s, want %s", got, subject)
			}
		}
	}
	data, err := json.Marshal(bus.Beat{Version: "1.25.1", Seq: 7})
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Publish("beat.machine-3", data); err != nil {
		t.Fatal(err)
	}
	if beat := <-beats; beat.Seq != 7 {
		t.Fatalf("after garbage came %+v", beat)
	}
	if err := nc.Publish("beat.machine-3", make([]byte, 10<<20)); !errors.Is(err, nats.ErrMaxPayload) {
		t.Fatalf("a message of 10 MB: %v, want ErrMaxPayload", err)
	}
	for _, stop := range stops {
		stop()
	}
}
