package tree_test

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/jujube-project/jujube/events/tree"
)

const env = "01890a5d-ac96-7000-8000-000000000001"

// world is a log of n records, its key and its hashes.
type world struct {
	edge    tree.Edge
	hashes  hashes
	records [][]byte
	signer  *tree.Signer
	public  string
}

type hashes []tree.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tree.Hash, error) {
	out := make([]tree.Hash, len(indexes))
	for i, n := range indexes {
		out[i] = h[n]
	}
	return out, nil
}

func newWorld(t testing.TB) *world {
	t.Helper()
	private, public, err := tree.NewKey(rand.Reader, env)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := tree.NewSigner(env, private)
	if err != nil {
		t.Fatal(err)
	}
	if signer.Public() != public {
		t.Fatalf("the key %s says that its public half is %s", public, signer.Public())
	}
	return &world{signer: signer, public: public}
}

func (w *world) grow(to int, version string) {
	for n := len(w.records); n < to; n++ {
		record := fmt.Appendf(nil, "record %d %s", n+1, version)
		w.records = append(w.records, record)
		w.hashes = append(w.hashes, w.edge.Add(tree.LogOf(env).Leaf(uint64(n+1), "environment", record))...)
	}
}

func (w *world) checkpoint(t testing.TB) tree.Checkpoint {
	t.Helper()
	c, err := w.signer.Sign(w.edge.Head())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) verifiers(t testing.TB) tree.Verifiers {
	t.Helper()
	v, err := tree.NewVerifiers(env, []string{w.public})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (w *world) prove(t testing.TB, seq int, since ...uint64) tree.Proof {
	t.Helper()
	p, err := tree.Prove(w.checkpoint(t), uint64(seq), "environment", w.records[seq-1], since, w.hashes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The edge gives the same roots as package tlog, and ReadEdge gives the edge again from the stored hashes.
func TestEdge(t *testing.T) {
	w := newWorld(t)
	for n := range 70 {
		w.grow(n, "")
		want, err := tlog.TreeHash(int64(n), w.hashes)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 && w.edge.Head() != (tree.Head{Size: uint64(n), Root: want}) {
			t.Fatalf("%d leaves: %v, not %v", n, w.edge.Head(), want)
		}
		if len(w.hashes) != int(tlog.StoredHashCount(int64(n))) {
			t.Fatalf("%d leaves: %d hashes", n, len(w.hashes))
		}
		again, err := tree.ReadEdge(uint64(n), w.hashes)
		if err != nil || again.Head() != w.edge.Head() {
			t.Fatalf("%d leaves: read again: %v, %v", n, again.Head(), err)
		}
	}
}

func TestProofIsBelieved(t *testing.T) {
	w := newWorld(t)
	var known tree.Checkpoint
	for n := 1; n < 40; n++ {
		w.grow(n, "")
		c, refusal := w.verifiers(t).Check(w.prove(t, n/2+1, known.Size, 1), tree.LogOf(env), known)
		if refusal != nil || c.Size != uint64(n) {
			t.Fatalf("%d records: %v, %v", n, c.Head, refusal)
		}
		if n%3 == 0 {
			known = c
		}
	}
}

// Each case breaks one thing in a proof that is otherwise valid.
func TestAttacksOnProofs(t *testing.T) {
	for _, c := range []struct {
		name, code string
		attack     func(t *testing.T, w *world, p *tree.Proof, place *tree.Place, known *tree.Checkpoint)
	}{
		{"BI-53 no proof at all", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) { *p = tree.Proof{} }},
		{"BI-53 no inclusion", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) { p.Inclusion = nil }},
		{"BI-53 one hash altered", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) { p.Inclusion[1][3] ^= 1 }},
		{"BI-53 one hash more", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) {
			p.Inclusion = append(p.Inclusion, tree.Hash{})
		}},
		{"BI-53 the proof of another record", tree.CodeProof, func(t *testing.T, w *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) {
			p.Inclusion = w.prove(t, 4).Inclusion
		}},
		{"BI-53 another record", tree.CodeProof, func(_ *testing.T, w *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) {
			p.Record = w.records[3]
		}},
		{"BI-53 another sequence", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) { p.Seq++ }},
		{"BI-53 a sequence behind the checkpoint", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place,
			_ *tree.Checkpoint,
		) {
			p.Seq = 1 << 60
		}},
		{"BI-53 another entity", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) { p.Entity = "tools" }},
		{"BI-53 the log of another environment", tree.CodeProof, func(_ *testing.T, _ *world, _ *tree.Proof, place *tree.Place, _ *tree.Checkpoint) {
			place.Incarnation = "other"
		}},
		{"BI-53 a checkpoint that nobody signed", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) {
			text, _, _ := strings.Cut(string(p.Checkpoint), "\n\n")
			p.Checkpoint = []byte(text + "\n")
		}},
		{"BI-53 a checkpoint by another key", tree.CodeProof, func(t *testing.T, w *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) {
			w.signer = newWorld(t).signer
			p.Checkpoint = w.checkpoint(t).Note
		}},
		{"BI-53 a checkpoint with another size", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) {
			p.Checkpoint = []byte(strings.Replace(string(p.Checkpoint), "\n20\n", "\n21\n", 1))
		}},
		{"BI-53 no consistency with what was seen", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) { p.Since = nil }},
		{"BI-53 too many hashes", tree.CodeProof, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) {
			p.Since[0].Hashes = make([]tree.Hash, tree.MaxProofHashes+1)
		}},
		{"BI-54 a checkpoint older than the last", tree.CodeFork, func(t *testing.T, w *world, _ *tree.Proof, _ *tree.Place, known *tree.Checkpoint) {
			w.grow(30, "")
			*known = w.checkpoint(t)
		}},
		{"BI-54 another past of the same size", tree.CodeFork, func(t *testing.T, w *world, p *tree.Proof, _ *tree.Place, known *tree.Checkpoint) {
			other := &world{signer: w.signer, public: w.public}
			other.grow(12, "changed")
			*known = other.checkpoint(t)
			_ = p
		}},
		{"BI-54 the same size, another root", tree.CodeFork, func(t *testing.T, w *world, _ *tree.Proof, _ *tree.Place, known *tree.Checkpoint) {
			other := &world{signer: w.signer, public: w.public}
			other.grow(20, "changed")
			*known = other.checkpoint(t)
		}},
		{"BI-54 a consistency proof that proves nothing", tree.CodeFork, func(_ *testing.T, _ *world, p *tree.Proof, _ *tree.Place, _ *tree.Checkpoint) {
			p.Since[0].Hashes[0][0] ^= 1
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.grow(12, "")
			known := w.checkpoint(t)
			w.grow(20, "")
			p := w.prove(t, 7, 12)
			place := tree.LogOf(env)
			if _, refusal := w.verifiers(t).Check(p, place, known); refusal != nil {
				t.Fatalf("before the attack: %v", refusal)
			}
			v := w.verifiers(t)
			c.attack(t, w, &p, &place, &known)
			got, refusal := v.Check(p, place, known)
			if refusal == nil || refusal.Code != c.code {
				t.Fatalf("refusal %v, want %s", refusal, c.code)
			}
			if got.Head != known.Head {
				t.Errorf("a refused proof moved what is remembered to %v", got.Head)
			}
			if evidence := tree.Evidence(known.Note, p.Checkpoint); c.code == tree.CodeFork && strings.Count(evidence, "jujube.log/") < 2 {
				t.Errorf("the evidence of a fork lacks a checkpoint:\n%s", evidence)
			}
		})
	}
}

// The log of another environment is not believed, even if its key is listed by mistake.
func TestKeysOfAnotherLog(t *testing.T) {
	_, public, err := tree.NewKey(rand.Reader, "other")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.NewVerifiers(env, []string{public}); err == nil {
		t.Error("the key of another log was taken")
	}
	none, err := tree.NewVerifiers(env, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t)
	w.grow(3, "")
	if _, refusal := none.Check(w.prove(t, 1), tree.LogOf(env), tree.Checkpoint{}); refusal == nil || refusal.Code != tree.CodeProof {
		t.Errorf("without keys: %v", refusal)
	}
	if _, err := (tree.Verifiers{}).Open(w.checkpoint(t).Note); err == nil {
		t.Error("the zero Verifiers believe something")
	}
}

// Parse reads a checkpoint that was kept, whoever signed it.
func TestParse(t *testing.T) {
	w := newWorld(t)
	w.grow(5, "")
	c := w.checkpoint(t)
	again, err := tree.Parse(c.Note, env)
	if err != nil || again.Head != c.Head {
		t.Fatalf("%v, %v", again, err)
	}
	for _, text := range []string{"", "x", string(c.Note[:40]), strings.Replace(string(c.Note), "\n5\n", "\n05\n", 1), strings.Repeat("x", tree.MaxNoteBytes+1)} {
		if _, err := tree.Parse([]byte(text), env); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

func FuzzOpen(f *testing.F) {
	w := newWorld(f)
	w.grow(5, "")
	v := w.verifiers(f)
	f.Add(w.checkpoint(f).Note)
	f.Add([]byte("jujube.log/" + env + "\n5\nAAAA\n\n— x y\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := v.Open(b)
		if err == nil && c.Head != w.edge.Head() {
			t.Fatalf("believed %v", c.Head)
		}
		_, _ = tree.Parse(b, env)
	})
}

func BenchmarkLeafAndAdd(b *testing.B) {
	var e tree.Edge
	record := make([]byte, 500)
	for n := 0; b.Loop(); n++ {
		e.Add(tree.LogOf(env).Leaf(uint64(n), "machine.machine-3", record))
	}
}

func BenchmarkSign(b *testing.B) {
	w := newWorld(b)
	w.grow(5, "")
	for b.Loop() {
		w.checkpoint(b)
	}
}
