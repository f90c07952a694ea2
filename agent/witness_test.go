package agent

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

const logEnvironment = "01890a5d-ac96-7000-8000-000000000001"

// keptLog is a log with its tree, as a state server keeps it.
type keptLog struct {
	t       *testing.T
	signer  *tree.Signer
	edge    tree.Edge
	hashes  treeHashes
	records []events.Stored
}

type treeHashes []tree.Hash

func (h treeHashes) ReadHashes(indexes []int64) ([]tree.Hash, error) {
	out := make([]tree.Hash, len(indexes))
	for i, n := range indexes {
		out[i] = h[n]
	}
	return out, nil
}

func newKeptLog(t *testing.T) *keptLog {
	t.Helper()
	private, _, err := tree.NewKey(rand.Reader, logEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tree.NewSigner(logEnvironment, private)
	if err != nil {
		t.Fatal(err)
	}
	return &keptLog{t: t, signer: signer}
}

// fork is another log of the same key, which begins as this one does.
func (l *keptLog) fork(records int) *keptLog {
	other := &keptLog{t: l.t, signer: l.signer}
	for _, s := range l.records[:records] {
		other.store(s.Entity, s.Bytes)
	}
	return other
}

func (l *keptLog) store(entity string, b []byte) events.Stored {
	s := events.Stored{Seq: l.edge.Size() + 1, Entity: entity, Bytes: b}
	l.records = append(l.records, s)
	l.hashes = append(l.hashes, l.edge.Add(tree.LogOf(logEnvironment).Leaf(s.Seq, entity, b))...)
	return s
}

func (l *keptLog) add(p events.Payload) events.Stored {
	l.t.Helper()
	rec, err := events.New(events.Envelope{ID: fmt.Sprintf("r%d", l.edge.Size()), Time: time.Unix(1_700_000_000, 0), Actor: "state-server-0"}, p)
	if err != nil {
		l.t.Fatal(err)
	}
	b, err := events.Marshal(rec)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.store(rec.Entity, b)
}

// order asks for an upgrade and orders it, for a machine that has seen a log of since.
func (l *keptLog) order(id string, since ...uint64) events.OrderIssued {
	l.t.Helper()
	signed := []byte("the request " + id)
	to, err := version.ParseBinary("1.25.1-trusty-amd64")
	if err != nil {
		l.t.Fatal(err)
	}
	asked := l.add(&events.UpgradeRequested{
		Request: events.Request{ID: id, Action: events.ActionUpgrade, Operator: "alice", Created: time.Unix(1_700_000_000, 0), Signed: signed},
		Upgrade: id, To: to.Number, Artefacts: []tools.Tools{{Version: to, Size: 1, SHA256: strings.Repeat("ab", 32)}},
	})
	c, err := l.signer.Sign(l.edge.Head())
	if err != nil {
		l.t.Fatal(err)
	}
	proof, err := tree.Prove(c, asked.Seq, asked.Entity, asked.Bytes, since, l.hashes)
	if err != nil {
		l.t.Fatal(err)
	}
	return events.OrderIssued{Upgrade: id, Warrant: events.Warrant{Request: signed}, Log: proof}
}

func (l *keptLog) witness(dir string) *witness {
	l.t.Helper()
	layout := install.Layout{Dir: dir, Machine: "3"}
	if err := os.MkdirAll(layout.Agent(), 0o700); err != nil {
		l.t.Fatal(err)
	}
	w, err := openWitness(layout, logEnvironment, slog.New(slog.DiscardHandler))
	if err != nil {
		l.t.Fatal(err)
	}
	return w
}

func wantCode(t *testing.T, f *events.Failure, code string) {
	t.Helper()
	if f == nil || f.Code != code || f.Step != "check" {
		t.Errorf("the machine says %+v, want %s", f, code)
	}
}

// What was believed outlives the process, and holds against every other log.
func TestWitness(t *testing.T) {
	log := newKeptLog(t)
	keys := []string{log.signer.Public()}
	dir := t.TempDir()
	w := log.witness(dir)
	log.add(&events.SettingChanged{Key: "a", Value: "1"})
	first := log.order("u1")
	if f := w.check(keys, first); f != nil {
		t.Fatalf("the first order: %+v", f)
	}
	seen := w.head()
	log.add(&events.SettingChanged{Key: "a", Value: "2"})

	w = log.witness(dir)
	if w.head() != seen {
		t.Fatalf("after a restart it remembers %v, not %v", w.head(), seen)
	}
	second := log.order("u2", seen.Size)
	t.Run("BI-53 an order without a proof", func(t *testing.T) {
		bare := second
		bare.Log = tree.Proof{}
		wantCode(t, w.check(keys, bare), "log-proof")
	})
	t.Run("BI-53 an order with the proof of another request", func(t *testing.T) {
		other := second
		other.Log.Seq, other.Log.Entity, other.Log.Record, other.Log.Inclusion = first.Log.Seq, first.Log.Entity, first.Log.Record, first.Log.Inclusion
		wantCode(t, w.check(keys, other), "log-proof")
		other = second
		other.Request = []byte("another request")
		wantCode(t, w.check(keys, other), "log-proof")
	})
	t.Run("BI-53 a checkpoint whose key is not on the roster", func(t *testing.T) {
		wantCode(t, w.check(nil, second), "log-proof")
		wantCode(t, w.check([]string{newKeptLog(t).signer.Public()}, second), "log-proof")
	})
	t.Run("BI-54 a fork", func(t *testing.T) {
		fork := log.fork(1)
		fork.add(&events.SettingChanged{Key: "b", Value: "other"})
		fork.add(&events.SettingChanged{Key: "b", Value: "past"})
		f := w.check(keys, fork.order("u2", seen.Size))
		wantCode(t, f, "log-fork")
		if f != nil && strings.Count(f.Output, "jujube.log/") < 2 {
			t.Errorf("the alarm does not hold both checkpoints: %q", f.Output)
		}
	})
	t.Run("BI-54 a checkpoint older than the last", func(t *testing.T) {
		wantCode(t, w.check(keys, log.fork(0).order("u1")), "log-fork")
	})
	if w.head() != seen {
		t.Errorf("what was refused is remembered: %v", w.head())
	}
	if f := w.check(keys, second); f != nil {
		t.Errorf("the second order: %+v", f)
	}
	if f := w.check(keys, second); f != nil {
		t.Errorf("the second order, heard again: %+v", f)
	}
}
