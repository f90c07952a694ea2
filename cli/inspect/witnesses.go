package inspect

import (
	"context"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections/audit"
)

// errNoLogKey is the error where a checkpoint is given or asked for and the witness is blind.
var errNoLogKey = errors.New("this client has no log key of the environment, so it cannot tell whether a checkpoint is genuine")

// witnesses gathers the checkpoints that the log must go on from: the newest that the state
// server has signed, which is also returned as signed; the newest that this client believed
// before; and those in the files. A client that knows no key of the log compares nothing, and says so.
func (src logSource) witnesses(ctx context.Context, files []string) (t *audit.Tree, signed tree.Checkpoint, err error) {
	w := src.witness
	if w.Blind() {
		if len(files) > 0 {
			return nil, signed, app.Fail(errNoLogKey, "Nothing was compared.", "")
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
		note, err := host.ReadPinned(file)
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

// conclude ends the comparison. If nothing was found, the client keeps the signed checkpoint as
// the newest that it believed. If something was, the state server is asked for its leaves: they
// tell which records differ from what was signed.
func (src logSource) conclude(ctx context.Context, t *audit.Tree, signed tree.Checkpoint) error {
	if src.witness.Blind() || signed.Size == 0 {
		return nil
	}
	if len(t.Findings) == 0 {
		return src.witness.Keep(signed)
	}
	if src.ask == nil {
		return nil
	}
	leaves, err := src.leaves(ctx, signed.Size)
	if err != nil {
		return nil // the findings say that the log differs; without the leaves nobody can tell where
	}
	t.Locate(leaves, signed.Head)
	return nil
}

// leaves asks for the hashes of the first records of the log, part by part.
func (src logSource) leaves(ctx context.Context, size uint64) (all wire.Leaves, err error) {
	for uint64(len(all)) < size {
		more, err := wire.LogLeavesFrom.Ask(ctx, src.ask, wire.Seen(len(all)))
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			break
		}
		all = append(all, more...)
	}
	return all[:min(uint64(len(all)), size)], nil
}
