package statesrv

import (
	"context"
	"errors"

	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
)

func (t *term) answerLogProof(_ context.Context, seen wire.Seen) (proof wire.Proof, err error) {
	c := t.keeper.newest()
	if c.Size == 0 {
		return proof, errors.New("nothing of the log is signed yet")
	}
	proof.Checkpoint = c.Note
	if from := uint64(seen); from > 0 && from < c.Size {
		proof.Hashes, err = tree.Continue(c.Size, from, t.keeper.hashes)
	}
	return proof, err
}

// answerLeaves gives those of everything that is signed.
func (t *term) answerLeaves(context.Context, wire.Nothing) (wire.Leaves, error) {
	size := t.keeper.newest().Size
	leaves := make(wire.Leaves, 0, size)
	for seq := uint64(1); seq <= size; seq++ {
		leaf, err := t.keeper.leafAt(seq)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}
