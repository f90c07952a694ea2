package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// Witness is what this client has seen of an environment's log: the newest checkpoint that it
// believed. Every later checkpoint must prove that its log goes on from that one. A state server
// that was taken over can answer what it likes, but it cannot change the checkpoint on this host.
type Witness struct {
	environment string // UUID
	file        string // where the checkpoint is kept
	logs        tree.Verifiers
	seen        tree.Checkpoint
}

// NewWitness makes a witness that has seen a checkpoint; the zero checkpoint if it has seen nothing.
// It keeps every newer one in the file.
func NewWitness(environment, file string, logs tree.Verifiers, seen tree.Checkpoint) *Witness {
	return &Witness{environment, file, logs, seen}
}

// WitnessOf reads what this client has seen of an environment's log. A client without log
// keys cannot tell which checkpoint is genuine and has no witness: nil.
func WitnessOf(store app.Store, env app.Environment) (*Witness, error) {
	keys, err := host.ReadPinned(store.LogKeysFile(env.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the log keys: %w", err)
	}
	w := &Witness{environment: env.UUID, file: store.CheckpointFile(env.Name)}
	if w.logs, err = tree.NewVerifiers(env.UUID, strings.Fields(string(keys))); err != nil {
		return nil, err
	}
	note, err := host.ReadPinned(w.file)
	if err == nil {
		w.seen, err = tree.Parse(note, env.UUID)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, app.Fail(fmt.Errorf("read the checkpoint %s: %w", w.file, err), "Nothing was asked.",
			"put back a copy of it; without it this client forgets what it has seen of the log")
	}
	return w, nil
}

// Environment is the UUID of the environment whose log it is.
func (w *Witness) Environment() string { return w.environment }

// Seen is the newest checkpoint that was believed. It is zero if nothing was seen yet.
func (w *Witness) Seen() tree.Checkpoint { return w.seen }

// Open reads a checkpoint and checks that the environment's log key has signed it.
func (w *Witness) Open(note []byte) (tree.Checkpoint, error) { return w.logs.Open(note) }

// Observe asks the state server for its newest checkpoint, with the proof that the log goes on from
// what was seen, and takes it. If no state server answers, nothing is observed, and that is no
// error: a request can be stored without one.
func (w *Witness) Observe(ctx context.Context, by wire.Asker) error {
	ctx, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	proof, err := wire.LogProof.Ask(ctx, by, wire.Seen(w.seen.Size))
	if errors.Is(err, bus.ErrNoStateServer) || ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask what is signed of the log: %w", err)
	}
	c, err := w.logs.Open(proof.Checkpoint)
	if err != nil {
		return app.Fail(fmt.Errorf("log-proof: %w", err), "Nothing was changed.", "find out who answers as the state server")
	}
	return w.Take(c, proof.Hashes)
}

// Take believes a checkpoint if the hashes prove that it goes on from what was seen, and
// keeps it.
func (w *Witness) Take(c tree.Checkpoint, hashes []tree.Hash) error {
	if refusal := tree.Follows(w.seen, c, hashes); refusal != nil {
		return app.Fail(fmt.Errorf("%w; both checkpoints, as signed:\n%s", refusal, tree.Evidence(w.seen.Note, c.Note)),
			"Nothing was changed; this client keeps what it saw before in "+w.file+".",
			"keep both as evidence; juju audit verify tells what differs")
	}
	return w.Keep(c)
}

// Keep writes down a checkpoint that was proved to go on from what was seen. A checkpoint that is
// not newer changes nothing.
func (w *Witness) Keep(c tree.Checkpoint) error {
	if c.Size <= w.seen.Size {
		return nil
	}
	err := host.MakeDirectory(filepath.Dir(w.file))
	if err == nil {
		err = host.WriteFile(w.file, c.Note)
	}
	if err != nil {
		return fmt.Errorf("keep the checkpoint of the log: %w", err)
	}
	w.seen = c
	return nil
}
