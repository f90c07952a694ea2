package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

// client is a juju in this process whose environment is a bus without a state server.
type client struct {
	t    *testing.T
	data string
	bus  *bustest.Bus
	log  *bus.Log // with a state server's rights
}

func newClient(t *testing.T) *client {
	t.Helper()
	c := &client{t: t, data: t.TempDir(), bus: bustest.Start(t)}
	a := clientIn(c.data)
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.bus.Accounts.OperatorJWT("ann", id.Public())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Store().SaveCredentials("prod", bus.Credentials{JWT: token, Seed: string(id.Seed())}); err != nil {
		t.Fatal(err)
	}
	if err := bus.PinAuthorities(a.Store().AuthoritiesFile("prod"), c.bus.Accounts.Certificates()); err != nil {
		t.Fatal(err)
	}
	if err := a.Store().Add(app.Environment{Name: "prod", UUID: bustest.Environment, Operator: "ann", URLs: c.bus.URLs}); err != nil {
		t.Fatal(err)
	}
	c.log = c.bus.StateServer().Log()
	c.append("", &events.SettingChanged{Key: "k", Value: "before"})
	return c
}

// append puts records into the log as a state server does: in one batch.
func (c *client) append(request string, payloads ...events.Payload) {
	c.t.Helper()
	recs := make([]events.Record, 0, len(payloads))
	for _, p := range payloads {
		rec, err := events.New(events.Envelope{
			ID: uuid.NewString(), Time: time.Unix(1, 0), Actor: "state-server-0", Correlation: request,
		}, p)
		if err != nil {
			c.t.Error(err)
			return
		}
		recs = append(recs, rec)
	}
	c.appendRecords(recs...)
}

func (c *client) appendRecords(recs ...events.Record) {
	c.t.Helper()
	last, err := c.log.Last(c.t.Context())
	if err == nil {
		_, err = c.log.Append(c.t.Context(), last, recs...)
	}
	if err != nil {
		c.t.Error(err)
	}
}

// judge serves requests, as a state server would, until the test ends.
func (c *client) judge(f func(ask events.Ask)) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	conn := c.bus.StateServer()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = conn.Requests(ctx, 1, func(r bus.Request) {
			_, ask, err := events.ParseSigned(r.Data)
			if err != nil {
				c.t.Error(err)
				return
			}
			f(ask)
		})
	}()
	c.t.Cleanup(func() { cancel(); <-done })
}

func received(ask events.Ask) *events.RequestReceived {
	return &events.RequestReceived{Request: events.Request{
		ID: ask.ID, Action: ask.Action, Operator: "ann", Created: ask.Created, Signed: []byte("{}"),
	}}
}

// clientIn is a run of juju with that directory as JUJU_DATA.
func clientIn(data string) *app.App {
	return &app.App{Getenv: func(key string) string { return map[string]string{"JUJU_DATA": data}[key] }}
}

// spoken collects what is said, and calls when once a text is in it.
type spoken struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	when func()
}

func (s *spoken) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.buf.Write(b)
	if s.when != nil && strings.Contains(s.buf.String(), s.text) {
		s.when()
		s.when = nil
	}
	return n, err
}

func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// juju runs a command; when the text is said on stderr, when is called.
func (c *client) juju(line, text string, when func(cancel context.CancelFunc)) (code int, said string) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(c.t.Context())
	defer cancel()
	errs := &spoken{text: text, when: func() {
		if when != nil {
			when(cancel)
		}
	}}
	a := clientIn(c.data)
	a.Args, a.Stdin, a.Stdout, a.Stderr = strings.Fields("-e prod "+line), strings.NewReader(""), &bytes.Buffer{}, errs
	code = Main(ctx, a)
	return code, errs.String()
}

// mustSay fails the test unless the command ended like that and said all of it.
func (c *client) mustSay(code, want int, said string, texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		if !strings.Contains(said, text) {
			c.t.Errorf("it does not say %q:\n%s", text, said)
		}
	}
	if code != want {
		c.t.Errorf("exit %d, want %d:\n%s", code, want, said)
	}
}

func TestAcceptedRequest(t *testing.T) {
	c := newClient(t)
	c.judge(func(ask events.Ask) {
		c.append("", &events.SettingChanged{Key: "another", Value: "matter"})
		c.append(ask.ID, received(ask), &events.SettingChanged{Key: "k", Value: ask.SetEnv["k"]})
	})
	code, said := c.juju("set-env k=v", "", nil)
	c.mustSay(code, exitOK, said)
}

func TestRefusedRequestGivesEveryReason(t *testing.T) {
	c := newClient(t)
	c.judge(func(ask events.Ask) {
		c.append(ask.ID, received(ask), &events.RequestRefused{Request: ask.ID, Reasons: []events.Reason{
			{Code: "bad-value", Text: "k is no number"}, {Code: "too-many", Text: "one at a time"},
		}})
	})
	code, said := c.juju("set-env k=v", "", nil)
	c.mustSay(code, exitError, said, "refuses set-env", "nothing was changed", "bad-value: k is no number", "too-many: one at a time")
}

// A record that this client does not know, from a newer state server, is passed over.
func TestUnknownEventsDoNotHideADecision(t *testing.T) {
	c := newClient(t)
	c.judge(func(ask events.Ask) {
		rec, err := events.New(events.Envelope{ID: uuid.NewString(), Time: time.Unix(1, 0), Actor: "state-server-0", Correlation: ask.ID},
			&events.SettingChanged{Key: "k", Value: "v"})
		if err != nil {
			t.Error(err)
			return
		}
		rec.Kind, rec.Data = "weather.changed/7", []byte(`{"sky":"blue"}`)
		first, err := events.New(events.Envelope{ID: uuid.NewString(), Time: time.Unix(1, 0), Actor: "state-server-0", Correlation: ask.ID}, received(ask))
		if err != nil {
			t.Error(err)
			return
		}
		c.appendRecords(rec, first)
	})
	code, said := c.juju("set-env k=v", "", nil)
	c.mustSay(code, exitOK, said)
}

func TestNobodyJudges(t *testing.T) {
	c := newClient(t)
	code, said := c.juju("set-env k=v --timeout 300ms", "", nil)
	c.mustSay(code, exitError, said, "no state server has judged the request", "The request is stored", "expires at", "Next:  juju audit log --upgrade ")
}

// A state server that is there but does not judge is not said to be away.
func TestServerOfAnotherVersionDoesNotJudge(t *testing.T) {
	c := newClient(t)
	stop, err := c.bus.StateServer().ServeQueries(func(q bus.Query) {
		b, err := json.Marshal(map[string]string{"version": "1.20.3"})
		q.Answer(b, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	code, said := c.juju("set-env k=v --timeout 300ms", "", nil)
	c.mustSay(code, exitError, said, "the state server, 1.20.3, has not judged the request", "does not understand this client", "The request is stored")
}

func TestInterruptedWaitSaysThatTheRequestIsStored(t *testing.T) {
	c := newClient(t)
	code, said := c.juju("set-env k=v --debug", "stored the request", func(cancel context.CancelFunc) { cancel() })
	c.mustSay(code, exitError, said, "interrupted while the request", "The request is stored", "Next:  juju audit log --upgrade ")
}

// The bus goes away after the request was stored and comes back; then it is judged.
func TestDecisionAfterTheBusWasAway(t *testing.T) {
	c := newClient(t)
	code, said := c.juju("set-env k=v --debug", "stored the request", func(context.CancelFunc) {
		c.bus.Restart()
		c.log = c.bus.StateServer().Log()
		c.judge(func(ask events.Ask) {
			c.append(ask.ID, received(ask), &events.SettingChanged{Key: "k", Value: "v"})
		})
	})
	c.mustSay(code, exitOK, said)
}

// What restart-agent --wait waits for ends in one of three ways; for an agent that restarts
// anyway it is the order that it had before.
func TestRestartsEnd(t *testing.T) {
	c := newClient(t)
	c.judge(func(ask events.Ask) {
		got := received(ask).Request
		decided := []events.Payload{&events.RestartRequested{Request: got, Machines: []string{"1", "2", "3", "4"}}}
		for _, m := range []string{"1", "2", "3"} {
			decided = append(decided, &events.RestartOrdered{Order: "order-" + m, Machine: m})
		}
		c.append(ask.ID, decided...)
		c.append(ask.ID, restartDone(t, "1", "order-1"))
		c.append(ask.ID, &events.OrderSuperseded{Order: "order-2", Machine: "2", Reason: "the machine was removed"})
		c.append(ask.ID, &events.OrderTimedOut{Order: "order-3", Machine: "3"})
		c.append("", restartDone(t, "4", "order-of-before"))
	})
	code, said := c.juju("restart-agent --all --wait", "", nil)
	c.mustSay(code, exitError, said, "3 agents were ordered to restart", "Restarting anyway, for an order that they have already: machine-4",
		"machine-1 is back", "machine-2 did not restart: the machine was removed", "machine-3 did not restart: its order ran out of time", "machine-4 is back")
}

func restartDone(t *testing.T, machine, order string) events.Payload {
	t.Helper()
	var done events.RestartDone
	b := fmt.Sprintf(`{"machine":%q,"epoch":"e","n":1,"order":%q,"pid":7}`, machine, order)
	if err := json.Unmarshal([]byte(b), &done); err != nil {
		t.Fatal(err)
	}
	return &done
}

func TestUnreachableEnvironments(t *testing.T) {
	c := newClient(t)
	a := clientIn(c.data)
	for _, e := range []struct {
		env   app.Environment
		texts []string
	}{
		{
			app.Environment{Name: "unfinished", UUID: "u", Machines: []app.Machine{{ID: "0", DataDir: "/nowhere"}}},
			[]string{"its bootstrap did not get to its end", "Next:  juju destroy-environment unfinished"},
		},
		{app.Environment{Name: "keyless", UUID: "u", URLs: c.bus.URLs}, []string{"keyless.creds", "Nothing was asked"}},
	} {
		if err := a.Store().Add(e.env); err != nil {
			t.Fatal(err)
		}
		code, said := c.juju("status -e "+e.env.Name, "", nil)
		c.mustSay(code, exitError, said, e.texts...)
		code, said = c.juju("set-env a=b -e "+e.env.Name, "", nil)
		c.mustSay(code, exitError, said, e.texts...)
	}
	code, said := c.juju("destroy-environment unfinished -e unfinished --yes", "", nil)
	c.mustSay(code, exitOK, said)
}
