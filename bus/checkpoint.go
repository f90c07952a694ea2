package bus

import (
	"context"
	"fmt"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// SetCheckpoint keeps a signed checkpoint of the log in place of the one before. Only a
// state server may call it.
func (c *Conn) SetCheckpoint(ctx context.Context, note []byte) error {
	if _, err := c.js.Publish(ctx, names.SubjectHead, note); err != nil {
		return fmt.Errorf("keep the checkpoint: %w", translate(err))
	}
	return nil
}

// Checkpoint is the newest that was kept; ErrNotFound when there is none yet. Whoever reads
// it verifies it.
func (c *Conn) Checkpoint(ctx context.Context) ([]byte, error) {
	m, err := c.getLast(ctx, names.StreamHeads, names.SubjectHead)
	if err != nil {
		return nil, fmt.Errorf("read the checkpoint: %w", err)
	}
	return m.data, nil
}
