package session_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/cli/accepted"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/cli/clitest/servers"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/status"
)

// statusAt answers the question for the status with one of a position of the log.
func statusAt(position uint64) wire.Answer {
	return wire.Status.AnsweredBy(func(context.Context, wire.Nothing) (wire.Raw, error) {
		st := status.Make(projections.New())
		st.Log.Position = position
		return json.Marshal(st)
	})
}

// metadataWith lets the client pin the root of signed metadata that names keys of the log. The answer
// shows that metadata.
func metadataWith(t *testing.T, store app.Store, logs ...string) wire.Answer {
	t.Helper()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := bus.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	roster := events.Roster{
		Operators:    []events.Operator{{Name: "ann", Key: id.Public(), Grants: []events.Grant{{Role: events.RoleAdmin}}}},
		StateServers: []string{id.Public()}, Logs: logs,
	}
	repo, err := tuf.First(roster, nil, private, private, tuf.Online{Snapshot: public, Timestamp: public}, time.Now())
	if err == nil {
		err = repo.Freshen(time.Now(), tuf.DefaultLives, private)
	}
	if err == nil {
		err = accepted.Of(store, "prod").Pin(repo.Anchor())
	}
	if err != nil {
		t.Fatal(err)
	}
	return wire.Trust.AnsweredBy(func(context.Context, wire.Nothing) (wire.Raw, error) { return repo.Bundle().Marshal(), nil })
}

// remembered is the checkpoint that the client remembers; "" if it has seen nothing.
func remembered(c *servers.Client) string {
	b, err := os.ReadFile(clitest.In(c.Data).Store().CheckpointFile("prod"))
	if err != nil {
		return ""
	}
	return string(b)
}

// Who did not bootstrap the environment has pinned no key of the log. He gets it out of the signed
// metadata at his next command, and is a witness from then on.
func TestB15ClientsTakeTheKeysOfTheLogFromSignedMetadata(t *testing.T) {
	c := servers.NewClient(t)
	log := c.SignLog()
	c.Answer(log.Proof(), statusAt(1), metadataWith(t, clitest.In(c.Data).Store(), log.Public()))
	code, said := c.Juju("status", "", nil)
	c.MustSay(code, clitest.OK, said)
	if strings.Contains(said, "WARNING") || remembered(c) != string(log.Checkpoint().Note) {
		t.Errorf("it says %q and remembers %q", said, remembered(c))
	}
	c.SeenOf(log, &events.SettingChanged{Key: "k", Value: "taken away"})
	code, said = c.Juju("status", "", nil)
	c.MustSay(code, clitest.Failed, said, "log-fork", "is older than the one seen before")
}

// A log goes on under another key when the release managers have published that.
func TestB15AnotherKeyOfTheLogIsBelievedOnceItIsPublished(t *testing.T) {
	c := servers.NewClient(t)
	before, log := c.SignLog(), c.SignLog()
	before.Pin()
	c.Answer(log.Proof(), statusAt(1), metadataWith(t, clitest.In(c.Data).Store(), log.Public()))
	code, said := c.Juju("status", "", nil)
	c.MustSay(code, clitest.OK, said)

	c = servers.NewClient(t)
	before, log = c.SignLog(), c.SignLog()
	before.Pin()
	c.Answer(log.Proof(), statusAt(1), metadataWith(t, clitest.In(c.Data).Store(), before.Public()))
	code, said = c.Juju("status", "", nil)
	c.MustSay(code, clitest.Failed, said, "log-proof", "no key of the log that is believed has signed it")
}

// A status that leaves out what is known to be in the log is no success.
func TestB15StatusOlderThanTheLog(t *testing.T) {
	c := servers.NewClient(t)
	log := c.SignLog()
	log.Pin()
	c.Append("", &events.SettingChanged{Key: "k", Value: "after"})
	c.Answer(log.Proof(), statusAt(1))
	code, said := c.Juju("status", "", nil)
	c.MustSay(code, clitest.Failed, said, "status-old", "a status of 1 records of the log", "at least 2 records", "juju status --from-log")
}

// Nobody proves anything while no state server answers. Whoever reads the log itself still finds out
// that it is not the one that was seen.
func TestB15LogWithoutAStateServer(t *testing.T) {
	c := servers.NewClient(t)
	log := c.SignLog()
	log.Pin()
	c.SeenOf(log, &events.SettingChanged{Key: "k", Value: "taken away"})
	code, said := c.Juju("audit log", "", nil)
	c.MustSay(code, clitest.Failed, said, "log-fork", "the log ends at 1", "jujube.log/")
}

func TestB15LogThatIsHeldAgainstWhatWasSeen(t *testing.T) {
	log, edge, at := memlog.New(), tree.Edge{}, time.Unix(1, 0)
	for n := range 3 {
		rec, err := events.New(events.Envelope{ID: fmt.Sprint(n), Time: at, Actor: "state-server-0"}, &events.SettingChanged{Key: "k", Value: fmt.Sprint(n)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := log.Append(t.Context(), uint64(n), rec); err != nil {
			t.Fatal(err)
		}
	}
	for s, err := range log.Stored(t.Context(), 1, 2) {
		if err != nil {
			t.Fatal(err)
		}
		edge.Add(tree.LogOf("e").Leaf(s.Seq, s.Entity, s.Bytes))
	}
	read := func(seen tree.Head) (records int, err error) {
		w := session.NewWitness("e", filepath.Join(t.TempDir(), "seen"), tree.Verifiers{}, tree.Checkpoint{Head: seen})
		for _, err := range w.Hold(log).Read(t.Context(), 1, 3) {
			if err != nil {
				return records, err
			}
			records++
		}
		return records, nil
	}
	for _, seen := range []tree.Head{{}, edge.Head()} {
		if n, err := read(seen); n != 3 || err != nil {
			t.Errorf("seen %v: %d records, %v", seen, n, err)
		}
	}
	if n, err := read(tree.Head{Size: 2}); events.CodeOf(err) != tree.CodeFork || n != 1 {
		t.Errorf("another log was seen: %d records, %v", n, err)
	}
}

// While a command waits, the state server goes away and comes back with an older log.
func TestB15LogThatGoesBackWhileItIsFollowed(t *testing.T) {
	c := servers.NewClient(t)
	log := c.SignLog()
	log.Pin()
	nobody := wire.Resolve.AnsweredBy(func(context.Context, events.Ask) (wire.Resolution, error) { return wire.Resolution{}, nil })
	c.Answer(log.Proof(), nobody)
	c.Judge(func(ask events.Ask) {
		c.Append(ask.ID, &events.RestartRequested{Request: servers.Received(ask).Request, Machines: []string{"1"}}, &events.RestartOrdered{Order: "o", Machine: "1"})
	})
	code, said := c.Juju("restart-agent --all --wait", "1 agents were ordered", func(context.CancelFunc) {
		c.SeenOf(log, &events.SettingChanged{Key: "k", Value: "taken away"})
		c.Bus.Restart()
	})
	c.MustSay(code, clitest.Failed, said, "log-fork")
}

// Keys that are missing or cannot be used are named.
func TestB15KeysOfTheLogThatCannotBeUsed(t *testing.T) {
	c := servers.NewClient(t)
	store := clitest.In(c.Data).Store()
	log := c.SignLog()
	c.Answer(log.Proof(), statusAt(1))
	code, said := c.Juju("status", "", nil)
	c.MustSay(code, clitest.OK, said, "WARNING", "this client knows no key of it", "juju trust init --anchor")

	log.Pin()
	file := store.LogKeysFile("prod")
	for _, harm := range []struct {
		does func() error
		says string
	}{
		{func() error { return os.Chmod(file, 0o666) }, "others can write it"},
		{func() error { return os.WriteFile(file, []byte("no key"), 0o600) }, "read the log key"},
		{func() error { return os.WriteFile(file, nil, 0o600) }, "is empty"},
		{func() error { return os.Remove(file) }, ""},
		{func() error { return os.Symlink(filepath.Join(c.Data, "elsewhere"), file) }, "symbolic link"},
	} {
		if err := harm.does(); err != nil {
			t.Fatal(err)
		}
		if harm.says == "" {
			continue
		}
		code, said := c.Juju("status", "", nil)
		c.MustSay(code, clitest.Failed, said, harm.says)
		if err := os.Chmod(file, 0o600); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}

	c = servers.NewClient(t)
	c.Answer(log.Proof(), statusAt(1), metadataWith(t, clitest.In(c.Data).Store()))
	code, said = c.Juju("status", "", nil)
	c.MustSay(code, clitest.OK, said, "WARNING", "juju trust log-key publishes it")
}
