package session_test

import (
	"encoding/json"
	"fmt"
	"io"
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
	a.Environment, a.Timeout, a.Stderr = "prod", 30*time.Second, io.Discard
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

// A state server adds machine 2 to what was typed, or changes what machine 1 is: the first is
// refused, the second is shown before it is signed.
func TestMachinesAreThoseThatWereTyped(t *testing.T) {
	l := newLiar(t, wire.Resolution{Machines: machineList("1", "2")})
	for _, line := range []string{"restart-agent machine-1", "restart-agent 1", "resolved 1", "deploy web --to 1 -- true"} {
		code, said := l.Juju(line, "", nil)
		l.MustSay(code, clitest.Failed, said, "is about machine 2, too", "Nothing was asked")
	}
	code, said := l.Juju("restart-agent machine-1 machine-2", "", nil)
	l.MustSay(code, clitest.OK, said, "It is signed for machine 1 (key "+machineList("1")[0].Key+"), machine 2 (key ")
	if ask := <-l.signed; ask.Machines.Count != 2 {
		t.Errorf("signed for %d machines", ask.Machines.Count)
	}
}

// Of many machines the number is shown, and what others can compare.
func TestManyMachinesAreShownAsADigest(t *testing.T) {
	l := newLiar(t, wire.Resolution{Machines: machineList("0", "1", "2", "3", "4", "5")})
	code, said := l.Juju("restart-agent --all", "", nil)
	ask := <-l.signed
	l.MustSay(code, clitest.OK, said, fmt.Sprintf("It is signed for 6 machines; the digest of their ids and keys is %x", ask.Machines.Root))
}
