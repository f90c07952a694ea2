package statesrv

import (
	"context"
	"errors"

	"github.com/jujube-project/jujube/events/wire"
)

// answerLogProof gives the newest checkpoint and, to somebody who has seen an older head, the proof that
// the log continues from there.
func (s *queries) answerLogProof(_ context.Context, seen wire.Seen) (proof wire.Proof, err error) {
	c := s.tree.Newest()
	if c.Size == 0 {
		return proof, errors.New("nothing of the log is signed yet")
	}
	proof.Checkpoint = c.Note
	if from := uint64(seen); from > 0 && from < c.Size {
		proof.Hashes, err = s.tree.Continue(c, from)
	}
	return proof, err
}

// answerLeaves gives the leaf of every record that the newest checkpoint covers.
func (s *queries) answerLeaves(context.Context, wire.Nothing) (wire.Leaves, error) {
	size := s.tree.Newest().Size
	leaves := make(wire.Leaves, 0, size)
	for seq := uint64(1); seq <= size; seq++ {
		leaf, err := s.tree.Leaf(seq)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}
