package session_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/testkey"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
)

// liar is an environment whose state server was taken over: it answers questions as it
// likes, and what a client signs comes to its hands.
type liar struct {
	*servers.Client
	signed chan events.Ask
}

func newLiar(t *testing.T, says wire.Resolution) *liar {
	t.Helper()
	l := &liar{servers.NewClient(t), make(chan events.Ask, 1)}
	stop, err := l.Bus.StateServer().ServeQueries(func(q bus.Query) {
		b, err := json.Marshal(says)
		q.Answer(b, err)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	l.Judge(func(ask events.Ask) {
		l.Append(ask.ID, servers.Received(ask))
		l.signed <- ask
	})
	return l
}

// gets is what a client has signed of an ask.
func (l *liar) gets(t *testing.T, typed events.Ask) events.Ask {
	t.Helper()
	a := clitest.In(l.Data)
	a.Environment, a.Timeout = "prod", 30*time.Second
	err := session.With(t.Context(), a, func(s *session.Session) error {
		_, err := s.Request(t.Context(), typed)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return <-l.signed
}

func machineList(ids ...string) (list []warrant.Machine) {
	for _, id := range ids {
		list = append(list, warrant.Machine{ID: id, Key: testkey.Of("machine-" + id).Public()})
	}
	return list
}

// A state server says that machines run 99.0.0. The client does not sign that they may go
// back, because nobody typed it; and it signs what was typed, whatever they are said to run.
func TestB06RollbackIsTyped(t *testing.T) {
	for _, typed := range []bool{false, true} {
		l := newLiar(t, wire.Resolution{Machines: machineList("0", "1"), Newest: version.Number{Major: 99}})
		ask := l.gets(t, events.Ask{Action: events.ActionUpgrade, Upgrade: &events.AskUpgrade{To: version.Number{Major: 1, Minor: 24}, Rollback: typed}})
		if ask.Upgrade.Rollback != typed {
			t.Errorf("rollback %v was typed, %v was signed", typed, ask.Upgrade.Rollback)
		}
	}
}
