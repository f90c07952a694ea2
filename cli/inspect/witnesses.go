package inspect

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections/audit"
)

// witnesses gathers what the log must go on from: the newest checkpoint that is kept
// beside it, what this client saw, and what the files hold.
func (src logSource) witnesses(ctx context.Context, files []string) (t *audit.Tree, signed tree.Checkpoint, err error) {
	w := src.witness
	if w == nil {
		if len(files) > 0 {
			return nil, signed, app.Fail(errors.New("this client has no log key of the environment, so it cannot tell whether a checkpoint is genuine"),
				"Nothing was compared.", "")
		}
		return audit.NewTree(""), signed, nil
	}
	var list []audit.Witness
	note, err := src.signed(ctx)
	if err == nil {
		signed, err = w.Open(note)
	}
	switch {
	case errors.Is(err, bus.ErrNotFound):
	case err != nil:
		return nil, signed, err
	default:
		list = append(list, audit.Witness{Who: "the state server", Code: audit.FoundTamper, Head: signed.Head})
	}
	if w.Seen().Size > 0 {
		list = append(list, audit.Witness{Who: "what this client saw before", Code: audit.FoundFork, Head: w.Seen().Head})
	}
	for _, file := range files {
		note, err := os.ReadFile(file)
		if err != nil {
			return nil, signed, fmt.Errorf("read the checkpoint: %w", err)
		}
		c, err := w.Open(note)
		if err != nil {
			return nil, signed, fmt.Errorf("%s: %w", file, err)
		}
		list = append(list, audit.Witness{Who: file, Code: audit.FoundFork, Head: c.Head})
	}
	return audit.NewTree(w.Environment(), list...), signed, nil
}

// conclude names the records that were changed, where that can be found out, and keeps the
// newest checkpoint of a log that is well.
func (src logSource) conclude(ctx context.Context, t *audit.Tree, signed tree.Checkpoint) error {
	if src.witness == nil || signed.Size == 0 {
		return nil
	}
	if len(t.Findings) == 0 {
		return src.witness.Keep(signed)
	}
	if src.ask == nil {
		return nil
	}
	leaves, err := wire.LogLeaves.Ask(ctx, src.ask, wire.Nothing{})
	if err != nil {
		return nil // it is said that something differs; where, nobody can tell
	}
	t.Locate(leaves, signed.Head)
	return nil
}
