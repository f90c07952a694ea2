package statesrv

import (
	"context"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events/limits"
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

// answerLeaves gives the leaf of every record that the newest checkpoint covers, to clients of before.
// Of a log that has more than limits.LeavesAtOnce it gives none.
func (s *queries) answerLeaves(ctx context.Context, _ wire.Nothing) (wire.Leaves, error) {
	if size := s.tree.Newest().Size; size > limits.LeavesAtOnce {
		return nil, fmt.Errorf("the log has %d records; more than %d are given in parts only, to a client that asks for log-leaves-from", size, limits.LeavesAtOnce)
	}
	return s.answerLeavesFrom(ctx, 0)
}

// answerLeavesFrom gives the leaves behind the first records of the log, as far as the newest checkpoint
// covers them, and no more than limits.LeavesAtOnce.
func (s *queries) answerLeavesFrom(_ context.Context, seen wire.Seen) (wire.Leaves, error) {
	size := s.tree.Newest().Size
	from := min(uint64(seen), size)
	size = min(size, from+limits.LeavesAtOnce)
	leaves := make(wire.Leaves, 0, size-from)
	for seq := from + 1; seq <= size; seq++ {
		leaf, err := s.tree.Leaf(seq)
		if err != nil {
			return nil, err
		}
		leaves = append(leaves, leaf)
	}
	return leaves, nil
}
