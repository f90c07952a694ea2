package inspect

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections/audit"
)

// signedLog is a log on a real bus, as its writer knows it: with its tree.
type signedLog struct {
	t      *testing.T
	bus    *bustest.Bus
	log    *bus.Log
	edge   tree.Edge
	leaves []tree.Hash
	hashes []tree.Hash
	signer *tree.Signer
}

func newSignedLog(t *testing.T) *signedLog {
	t.Helper()
	private, _, err := tree.NewKey(rand.Reader, bustest.Environment)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tree.NewSigner(bustest.Environment, private)
	if err != nil {
		t.Fatal(err)
	}
	b := bustest.Start(t)
	b.Loosen()
	return &signedLog{t: t, bus: b, log: b.StateServer().Log(), signer: signer}
}

func (l *signedLog) add(payloads ...events.Payload) {
	l.t.Helper()
	for _, p := range payloads {
		rec, err := events.New(events.Envelope{ID: fmt.Sprintf("r%d", l.edge.Size()), Time: time.Unix(1_700_000_000, 0), Actor: "state-server-0"}, p)
		if err != nil {
			l.t.Fatal(err)
		}
		if _, err := l.log.Append(l.t.Context(), l.edge.Size(), rec); err != nil {
			l.t.Fatal(err)
		}
		l.take(rec)
	}
}

func (l *signedLog) take(rec events.Record) {
	l.t.Helper()
	b, err := events.Marshal(rec)
	if err != nil {
		l.t.Fatal(err)
	}
	leaf := tree.LogOf(bustest.Environment).Leaf(l.edge.Size()+1, rec.Entity, b)
	l.leaves = append(l.leaves, leaf)
	l.hashes = append(l.hashes, l.edge.Add(leaf)...)
}

func (l *signedLog) sign() tree.Checkpoint {
	l.t.Helper()
	c, err := l.signer.Sign(l.edge.Head())
	if err != nil {
		l.t.Fatal(err)
	}
	return c
}

// genesis is a small log that is well.
func (l *signedLog) genesis() {
	l.t.Helper()
	l.add(&events.EnvironmentCreated{
		UUID: bustest.Environment, Name: "test", AgentVersion: version.Current(), Operators: []events.Operator{{Name: "alice", Key: "UALICE"}},
	})
	for n := range 6 {
		l.add(&events.SettingChanged{Key: "key", Value: fmt.Sprint("value ", n)})
	}
}

// source is how the command of a client that has seen a checkpoint reads that log, whose state
// server still has the leaves.
func (l *signedLog) source(signed, seen tree.Checkpoint) logSource {
	l.t.Helper()
	logs, err := tree.NewVerifiers(bustest.Environment, []string{l.signer.Public()})
	if err != nil {
		l.t.Fatal(err)
	}
	return logSource{
		log:     l.bus.StateServer().Log(),
		signed:  func(context.Context) ([]byte, error) { return signed.Note, nil },
		ask:     wire.AskerFunc(func(context.Context, string, []byte) ([]byte, error) { return wire.Leaves(l.leaves).MarshalBinary() }),
		witness: session.NewWitness(bustest.Environment, filepath.Join(l.t.TempDir(), "seen"), logs, seen),
	}
}

// verify gives what an audit finds, as "code at sequence".
func (l *signedLog) verify(src logSource) []string {
	l.t.Helper()
	t, signed, err := src.witnesses(l.t.Context(), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	v, err := verifyLog(l.t.Context(), src.log, "", wire.Position{}, t)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := src.conclude(l.t.Context(), t, signed); err != nil {
		l.t.Fatal(err)
	}
	found := []string{}
	for _, f := range append(t.Findings, v.Findings...) {
		found = append(found, fmt.Sprintf("%s at %d", f.Code, f.Seq))
	}
	return found
}

func (l *signedLog) wants(src logSource, want ...string) {
	l.t.Helper()
	got := l.verify(src)
	for _, w := range want {
		if !slices.Contains(got, w) {
			l.t.Errorf("the audit finds %q, not %q", got, w)
		}
	}
	if len(want) == 0 && len(got) > 0 {
		l.t.Errorf("the audit finds %q", got)
	}
}

func TestAuditOfALogThatIsWell(t *testing.T) {
	l := newSignedLog(t)
	l.genesis()
	src := l.source(l.sign(), tree.Checkpoint{})
	l.wants(src)
	if src.witness.Seen().Size != 7 {
		t.Errorf("the client remembers %v", src.witness.Seen().Head)
	}
}

func TestBI81DeletedRecordIsFound(t *testing.T) {
	l := newSignedLog(t)
	l.genesis()
	c := l.sign()
	l.bus.Delete(4)
	l.wants(l.source(c, tree.Checkpoint{}), "log-gap at 4")
	l.bus.Delete(7) // the last: NATS itself says that the log ends before
	l.wants(l.source(c, tree.Checkpoint{}), "log-gap at 4", "log-gap at 7")
}

func TestBI83AlteredRecordIsFound(t *testing.T) {
	l := newSignedLog(t)
	l.genesis()
	c := l.sign()
	l.bus.Rewrite(func(seq uint64, data []byte) []byte {
		if seq == 5 {
			return bytes.Replace(data, []byte("value 3"), []byte("value 9"), 1)
		}
		return data
	})
	l.wants(l.source(c, tree.Checkpoint{}), "log-tamper at 5")
}

// A client that saw more than there is now, or something else, says so: the rest of the
// log may be in the best order, and signed.
func TestBI84ForkIsSeenByAnotherClient(t *testing.T) {
	l := newSignedLog(t)
	l.genesis()
	seen := l.sign()
	fork := &signedLog{t: t, bus: l.bus, signer: l.signer}
	l.bus.Rewrite(func(_ uint64, data []byte) []byte {
		data = bytes.Replace(data, []byte("value 5"), []byte("other 5"), 1)
		rec, err := events.Unmarshal(data)
		if err != nil {
			t.Fatal(err)
		}
		fork.take(rec)
		return data
	})
	fork.log = l.bus.StateServer().Log()
	fork.add(&events.SettingChanged{Key: "key", Value: "later"})
	src := fork.source(fork.sign(), tree.Checkpoint{})
	fork.wants(src)
	src = fork.source(fork.sign(), seen)
	fork.wants(src, "log-fork at 0")

	t.Run("BI-84 at every command", func(t *testing.T) {
		hashes, err := tree.Continue(fork.edge.Size(), seen.Size, hashReader(fork.hashes))
		if err != nil {
			t.Fatal(err)
		}
		err = src.witness.Take(fork.sign(), hashes)
		if err == nil || !strings.Contains(err.Error(), "log-fork") || strings.Count(err.Error(), "jujube.log/") < 2 {
			t.Errorf("the client says %v", err)
		}
	})
}

type hashReader []tree.Hash

func (h hashReader) ReadHashes(indexes []int64) ([]tree.Hash, error) {
	out := make([]tree.Hash, len(indexes))
	for i, n := range indexes {
		out[i] = h[n]
	}
	return out, nil
}

// Leaves that somebody made up name nobody.
func TestLocateBelievesOnlyWhatWasSigned(t *testing.T) {
	l := newSignedLog(t)
	l.genesis()
	tr := audit.NewTree(bustest.Environment)
	if tr.Locate(make([]tree.Hash, 7), l.sign().Head) {
		t.Error("made-up leaves were believed")
	}
}

// BenchmarkAuditVerify is an audit of a log of 100,000 settings on a real bus, by one
// client. Its records are not signed one by one.
func BenchmarkAuditVerify(b *testing.B) {
	const records = 100_000
	bus := bustest.Start(b)
	log := bus.StateServer().Log()
	var edge tree.Edge
	for edge.Size() < records {
		var batch []events.Record
		from := edge.Size()
		for range events.MaxBatch {
			rec, err := events.New(events.Envelope{ID: fmt.Sprintf("r%d", edge.Size()), Time: time.Unix(1_700_000_000, 0), Actor: "state-server-0"},
				&events.SettingChanged{Key: "key", Value: strings.Repeat("x", 200)})
			if err != nil {
				b.Fatal(err)
			}
			data, err := events.Marshal(rec)
			if err != nil {
				b.Fatal(err)
			}
			edge.Add(tree.LogOf(bustest.Environment).Leaf(edge.Size()+1, rec.Entity, data))
			batch = append(batch, rec)
		}
		if _, err := log.Append(b.Context(), from, batch...); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		t := audit.NewTree(bustest.Environment, audit.Witness{Who: "the state server", Code: audit.FoundTamper, Head: edge.Head()})
		v, err := verifyLog(b.Context(), log, "", wire.Position{}, t)
		if err != nil || len(t.Findings) > 0 || v.State.Seq != records {
			b.Fatalf("%v, %v, at %d", err, t.Findings, v.State.Seq)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
