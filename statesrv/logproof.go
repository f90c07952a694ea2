package statesrv

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
)

func (t *term) answerLogProof(q bus.Query) {
	var from uint64
	if len(q.Body) > 0 {
		if err := json.Unmarshal(q.Body, &from); err != nil {
			q.Answer(nil, fmt.Errorf("read the question: %w", err))
			return
		}
	}
	c := t.keeper.newest()
	if c.Size == 0 {
		q.Answer(nil, errors.New("nothing of the log is signed yet"))
		return
	}
	answer := wire.LogProof{Checkpoint: c.Note}
	var err error
	if from > 0 && from < c.Size {
		answer.Hashes, err = tree.Continue(c.Size, from, t.keeper.hashes)
	}
	b, jsonErr := json.Marshal(answer)
	q.Answer(b, errors.Join(err, jsonErr))
}

// leaves are those of everything that is signed, one behind the other.
func (k *keeper) leaves() ([]byte, error) {
	size := k.newest().Size
	b := make([]byte, 0, size*uint64(len(tree.Hash{})))
	for seq := uint64(1); seq <= size; seq++ {
		leaf, err := k.leafAt(seq)
		if err != nil {
			return nil, err
		}
		b = append(b, leaf[:]...)
	}
	return b, nil
}
