package session_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

func TestAcceptedRequest(t *testing.T) {
	c := servers.NewClient(t)
	c.Judge(func(ask events.Ask) {
		c.Append("", &events.SettingChanged{Key: "another", Value: "matter"})
		c.Append(ask.ID, servers.Received(ask), &events.SettingChanged{Key: "k", Value: ask.SetEnv["k"]})
	})
	code, said := c.Juju("set-env k=v", "", nil)
	c.MustSay(code, clitest.OK, said)
}

func TestRefusedRequestGivesEveryReason(t *testing.T) {
	c := servers.NewClient(t)
	c.Judge(func(ask events.Ask) {
		c.Append(ask.ID, servers.Received(ask), &events.RequestRefused{Request: ask.ID, Reasons: []events.Reason{
			{Code: "bad-value", Text: "k is no number"}, {Code: "too-many", Text: "one at a time"},
		}})
	})
	code, said := c.Juju("set-env k=v", "", nil)
	c.MustSay(code, clitest.Failed, said, "refuses set-env", "nothing was changed", "bad-value: k is no number", "too-many: one at a time")
}

// A record that this client does not know, from a newer state server, is passed over.
func TestUnknownEventsDoNotHideADecision(t *testing.T) {
	c := servers.NewClient(t)
	c.Judge(func(ask events.Ask) {
		rec, err := events.New(events.Envelope{ID: uuid.NewString(), Time: time.Unix(1, 0), Actor: "state-server-0", Correlation: ask.ID},
			&events.SettingChanged{Key: "k", Value: "v"})
		if err != nil {
			t.Error(err)
			return
		}
		rec.Kind, rec.Data = "weather.changed/7", []byte(`{"sky":"blue"}`)
		first, err := events.New(events.Envelope{ID: uuid.NewString(), Time: time.Unix(1, 0), Actor: "state-server-0", Correlation: ask.ID}, servers.Received(ask))
		if err != nil {
			t.Error(err)
			return
		}
		c.AppendRecords(rec, first)
	})
	code, said := c.Juju("set-env k=v", "", nil)
	c.MustSay(code, clitest.OK, said)
}

func TestNobodyJudges(t *testing.T) {
	c := servers.NewClient(t)
	code, said := c.Juju("set-env k=v --timeout 300ms", "", nil)
	c.MustSay(code, clitest.Failed, said, "no state server has judged the request", "The request is stored", "expires at", "Next:  juju audit log --upgrade ")
}

// A state server that is there but does not judge is not said to be away.
func TestServerOfAnotherVersionDoesNotJudge(t *testing.T) {
	c := servers.NewClient(t)
	stop, err := c.Bus.StateServer().ServeQueries(func(q bus.Query) {
		b, err := json.Marshal(map[string]string{"version": "1.20.3"})
		q.Answer(b, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	code, said := c.Juju("set-env k=v --timeout 300ms", "", nil)
	c.MustSay(code, clitest.Failed, said, "the state server, 1.20.3, has not judged the request", "does not understand this client", "The request is stored")
}

// A state server whose disk is full says so, and the client tells it.
func TestB14AFullDiskIsSaid(t *testing.T) {
	c := servers.NewClient(t)
	stop, err := c.Bus.StateServer().ServeQueries(func(q bus.Query) {
		b, err := json.Marshal(wire.Running{Stopped: events.Refuse(events.CodeDiskFull, "it has 3 MiB free")})
		q.Answer(b, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	code, said := c.Juju("set-env k=v --timeout 300ms", "", nil)
	c.MustSay(code, clitest.Failed, said, "disk-full: it has 3 MiB free", "The request is stored")
}

func TestInterruptedWaitSaysThatTheRequestIsStored(t *testing.T) {
	c := servers.NewClient(t)
	code, said := c.Juju("set-env k=v --debug", "stored the request", func(cancel context.CancelFunc) { cancel() })
	c.MustSay(code, clitest.Failed, said, "interrupted while the request", "The request is stored", "Next:  juju audit log --upgrade ")
}

// The bus goes away after the request was stored and comes back; then it is judged.
func TestDecisionAfterTheBusWasAway(t *testing.T) {
	c := servers.NewClient(t)
	code, said := c.Juju("set-env k=v --debug", "stored the request", func(context.CancelFunc) {
		c.Bus.Restart()
		c.Log = c.Bus.StateServer().Log()
		c.Judge(func(ask events.Ask) {
			c.Append(ask.ID, servers.Received(ask), &events.SettingChanged{Key: "k", Value: "v"})
		})
	})
	c.MustSay(code, clitest.OK, said)
}
