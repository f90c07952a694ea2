package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
)

// witness is what this client has seen of an environment's log: the newest checkpoint that
// it believed. Every later one must go on from it.
type witness struct {
	environment string // UUID
	file        string // where the checkpoint is kept
	logs        tree.Verifiers
	known       tree.Checkpoint
}

// checkpointFile holds the newest checkpoint of the log that this client believed.
func (a *App) checkpointFile(name string) string {
	return filepath.Join(a.data(), "checkpoints", name)
}

// witness reads what this client knows. A client without log keys witnesses nothing: nil.
func (a *App) witness(env environment) (*witness, error) {
	keys, err := os.ReadFile(a.logKeysFile(env.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the log keys: %w", err)
	}
	w := &witness{environment: env.UUID, file: a.checkpointFile(env.Name)}
	if w.logs, err = tree.NewVerifiers(env.UUID, strings.Fields(string(keys))); err != nil {
		return nil, err
	}
	note, err := os.ReadFile(w.file)
	if err == nil {
		w.known, err = tree.Parse(note, env.UUID)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fail(fmt.Errorf("read the checkpoint %s: %w", w.file, err), "Nothing was asked.", "put back a copy of it; without it this client forgets what it has seen of the log")
	}
	return w, nil
}

// observe asks the state server for the newest checkpoint, and for the proof that its log
// goes on from what was seen. When no state server answers there is nothing to see.
func (w *witness) observe(ctx context.Context, ask func(context.Context, string, []byte) ([]byte, error)) error {
	body, err := json.Marshal(w.known.Size)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	b, err := ask(ctx, "log-proof", body)
	if errors.Is(err, bus.ErrNoStateServer) || ctx.Err() != nil {
		return nil
	}
	var answer wire.LogProof
	if err == nil {
		err = decodeJSON(b, &answer)
	}
	if err != nil {
		return fmt.Errorf("ask what is signed of the log: %w", err)
	}
	c, err := w.logs.Open(answer.Checkpoint)
	if err != nil {
		return fail(fmt.Errorf("log-proof: %w", err), "Nothing was changed.", "find out who answers as the state server")
	}
	return w.take(c, answer.Hashes)
}

// take believes a checkpoint that goes on from what was seen, and keeps it.
func (w *witness) take(c tree.Checkpoint, hashes []tree.Hash) error {
	if refusal := tree.Follows(w.known, c, hashes); refusal != nil {
		return fail(fmt.Errorf("%w; both checkpoints, as signed:\n%s", refusal, refusal.Evidence), "Nothing was changed; this client keeps what it saw before in "+w.file+".",
			"keep both as evidence; juju audit verify tells what differs")
	}
	return w.keep(c)
}

func (w *witness) keep(c tree.Checkpoint) error {
	if c.Size <= w.known.Size {
		return nil
	}
	err := os.MkdirAll(filepath.Dir(w.file), 0o700)
	if err == nil {
		err = install.WriteFile(w.file, c.Note)
	}
	if err != nil {
		return fmt.Errorf("keep the checkpoint of the log: %w", err)
	}
	w.known = c
	return nil
}
