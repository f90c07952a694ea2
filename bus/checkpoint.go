package bus

import (
	"context"
	"fmt"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// SetCheckpoint stores a signed checkpoint of the log; the one before it is gone then
// (CHECKPOINTS holds one message). Only a state server may call it.
func (c *Conn) SetCheckpoint(ctx context.Context, note []byte) error {
	if _, err := c.js.Publish(ctx, names.SubjectCheckpoint, note); err != nil {
		return fmt.Errorf("keep the checkpoint: %w", translate(err))
	}
	return nil
}

// Checkpoint returns the newest stored checkpoint, or ErrNotFound if there is none yet. Its
// signature is not checked here: whoever reads it checks it.
func (c *Conn) Checkpoint(ctx context.Context) ([]byte, error) {
	m, err := c.getLast(ctx, names.StreamCheckpoints, names.SubjectCheckpoint)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	return m.data, nil
}
