package servers

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// SignedLog signs the log of a Client's bus, as a state server does.
type SignedLog struct {
	client *Client
	signer *tree.Signer
}

// SignLog makes a key of the log. The client does not know it yet: see Pin.
func (c *Client) SignLog() *SignedLog {
	c.t.Helper()
	private, _, err := tree.NewKey(rand.Reader, bustest.Environment)
	if err != nil {
		c.t.Fatal(err)
	}
	signer, err := tree.NewSigner(bustest.Environment, private)
	if err != nil {
		c.t.Fatal(err)
	}
	return &SignedLog{c, signer}
}

// Public is the public half of the key.
func (l *SignedLog) Public() string { return l.signer.Public() }

// Pin lets the client know the key, as bootstrap does.
func (l *SignedLog) Pin() {
	l.client.t.Helper()
	if err := clitest.In(l.client.Data).Store().PinLogKey("prod", l.signer.Public()); err != nil {
		l.client.t.Fatal(err)
	}
}

// Checkpoint signs what lies in the log now.
func (l *SignedLog) Checkpoint() tree.Checkpoint {
	l.client.t.Helper()
	c, _, err := l.sign()
	if err != nil {
		l.client.t.Fatal(err)
	}
	return c
}

// sign signs what lies in the log now, and gives the hashes of its tree. It is called where a question
// is answered, so it fails no test.
func (l *SignedLog) sign() (c tree.Checkpoint, hashes hashReader, err error) {
	edge, err := l.edge(&hashes)
	if err != nil {
		return c, nil, err
	}
	c, err = l.signer.Sign(edge.Head())
	return c, hashes, err
}

// edge is that of the tree over what lies in the log now; hashes, if not nil, get its hashes.
func (l *SignedLog) edge(hashes *hashReader) (edge tree.Edge, err error) {
	ctx := l.client.t.Context()
	last, err := l.client.Log.Last(ctx)
	if err != nil {
		return edge, err
	}
	for s, err := range l.client.Log.Stored(ctx, 1, last) {
		if err != nil {
			return edge, err
		}
		more := edge.Add(tree.LogOf(bustest.Environment).Leaf(s.Seq, s.Entity, s.Bytes))
		if hashes != nil {
			*hashes = append(*hashes, more...)
		}
	}
	return edge, nil
}

type hashReader []tree.Hash

func (h hashReader) ReadHashes(indexes []int64) ([]tree.Hash, error) {
	out := make([]tree.Hash, len(indexes))
	for i, n := range indexes {
		out[i] = h[n]
	}
	return out, nil
}

// Proof answers the question for a proof, as a state server does.
func (l *SignedLog) Proof() wire.Answer {
	return wire.LogProof.AnsweredBy(func(_ context.Context, seen wire.Seen) (proof wire.Proof, err error) {
		c, hashes, err := l.sign()
		if err != nil {
			return proof, err
		}
		proof.Checkpoint = c.Note
		if from := uint64(seen); from > 0 && from < c.Size {
			proof.Hashes, err = tree.Continue(c.Size, from, hashes)
		}
		return proof, err
	})
}

// Answer answers the client's questions in a state server's place, until the test ends. Questions
// without an answer are refused.
func (c *Client) Answer(answers ...wire.Answer) {
	c.t.Helper()
	stop, err := c.Bus.StateServer().ServeQueries(func(q bus.Query) {
		i := slices.IndexFunc(answers, func(a wire.Answer) bool { return a.Name == q.Name })
		if i < 0 {
			q.Answer(nil, fmt.Errorf("the test answers no %s", q.Name))
			return
		}
		q.Answer(answers[i].Answer(c.t.Context(), q.Body))
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(stop)
}

// SeenOf lets the client remember a checkpoint of a log that goes on, from what lies there now, with
// payloads that the log does not have: as if that had been taken away.
func (c *Client) SeenOf(l *SignedLog, payloads ...events.Payload) tree.Checkpoint {
	c.t.Helper()
	edge, err := l.edge(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range payloads {
		edge.Add(tree.LogOf(bustest.Environment).Leaf(edge.Size()+1, p.Entity(), []byte(p.Kind())))
	}
	seen, err := l.signer.Sign(edge.Head())
	if err != nil {
		c.t.Fatal(err)
	}
	c.Remember(seen)
	return seen
}

// Remember lets the client remember a checkpoint.
func (c *Client) Remember(seen tree.Checkpoint) {
	c.t.Helper()
	file := clitest.In(c.Data).Store().CheckpointFile("prod")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		c.t.Fatal(err)
	}
	if err := host.WriteFile(file, seen.Note); err != nil {
		c.t.Fatal(err)
	}
}
