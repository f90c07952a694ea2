package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// Witness is what this client has seen of an environment's log: the newest checkpoint that it
// believed. Every later checkpoint must prove that its log goes on from that one. A state server
// that was taken over can answer what it likes, but it cannot change the checkpoint on this host.
//
// A witness is blind while this client knows no key of the log: it cannot tell which checkpoint is
// genuine. Whoever reads the log by a blind witness is told so.
type Witness struct {
	environment string // UUID
	file        string // where the checkpoint is kept

	mu   sync.Mutex // guards what follows: a log may be followed while a question is asked
	logs *tree.Verifiers
	seen tree.Checkpoint
}

// NewWitness makes a witness that has seen a checkpoint; the zero checkpoint if it has seen nothing.
// It keeps every newer one in the file.
func NewWitness(environment, file string, logs tree.Verifiers, seen tree.Checkpoint) *Witness {
	return &Witness{environment: environment, file: file, logs: &logs, seen: seen}
}

// WitnessOf reads what this client has seen of an environment's log, and the keys of the log that
// it knows. It asks nobody.
func WitnessOf(store app.Store, env app.Environment) (*Witness, error) {
	w := &Witness{environment: env.UUID, file: store.CheckpointFile(env.Name)}
	keys, err := knownKeys(store, env.Name)
	if err == nil {
		err = w.believe(keys)
	}
	if err != nil {
		return nil, err
	}
	return w, w.read()
}

// Begin lets a client that has seen nothing of an environment's log begin with what an admin has seen
// of it. What this client has seen itself stays.
func Begin(store app.Store, env app.Environment, note []byte) error {
	w := &Witness{environment: env.UUID, file: store.CheckpointFile(env.Name)}
	c, err := tree.Parse(note, env.UUID)
	if err == nil {
		err = w.read()
	}
	if err != nil || w.Seen().Size > 0 {
		return err
	}
	return w.Keep(c)
}

// believe takes keys of the log for those that are believed. Without any the witness stays as it is.
func (w *Witness) believe(keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	logs, err := tree.NewVerifiers(w.environment, keys)
	if err != nil {
		return app.Fail(err, "Nothing was asked.", "the release managers publish a good one: juju trust log-key")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logs = &logs
	return nil
}

// read reads what is remembered. Another command of this client may have seen more meanwhile.
func (w *Witness) read() error {
	note, err := host.ReadPinned(w.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var c tree.Checkpoint
	if err == nil {
		c, err = tree.Parse(note, w.environment)
	}
	if err != nil {
		return app.Fail(fmt.Errorf("read the checkpoint %s: %w", w.file, err), "Nothing was asked.",
			"put back a copy of it; without it this client forgets what it has seen of the log")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Size > w.seen.Size {
		w.seen = c
	}
	return nil
}

// Environment is the UUID of the environment whose log it is.
func (w *Witness) Environment() string { return w.environment }

// Seen is the newest checkpoint that was believed. It is zero if nothing was seen yet.
func (w *Witness) Seen() tree.Checkpoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen
}

// Blind says whether no key of the log is known.
func (w *Witness) Blind() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs == nil
}

// Open reads a checkpoint and checks that a key of the log has signed it.
func (w *Witness) Open(note []byte) (tree.Checkpoint, error) {
	w.mu.Lock()
	logs := w.logs
	w.mu.Unlock()
	if logs == nil {
		return tree.Checkpoint{}, errors.New("this client knows no key of the log, so it cannot tell whether a checkpoint is genuine")
	}
	return logs.Open(note)
}

// observeTries bounds how often the proof is asked for anew, because another command of this client
// has seen more while this one asked.
const observeTries = 5

// Observe asks the state server for its newest checkpoint, with the proof that the log goes on from
// what was seen, and takes it. The error is bus.ErrNoStateServer if none answers.
func (w *Witness) Observe(ctx context.Context, by wire.Asker) error {
	for range observeTries {
		if err := w.read(); err != nil {
			return err
		}
		seen := w.Seen()
		proof, err := wire.LogProof.Ask(ctx, by, wire.Seen(seen.Size))
		if err != nil {
			return fmt.Errorf("ask what is signed of the log: %w", err)
		}
		c, err := w.Open(proof.Checkpoint)
		if err != nil {
			err = fmt.Errorf("%s: what the state server shows as its newest checkpoint of the log is not believed: %w", tree.CodeProof, err)
			return app.Fail(err, "Nothing was changed.", "find out who answers as the state server")
		}
		if err := w.take(seen, c, proof.Hashes); !errors.Is(err, errSeenMore) {
			return err
		}
	}
	return errors.New("ask what is signed of the log: other commands of this client see more of it all the time")
}

// errSeenMore says that another command of this client has meanwhile remembered a newer checkpoint.
// The proof at hand begins at an older one, so it says nothing about that.
var errSeenMore = errors.New("another command has seen more of the log")

// Take believes a checkpoint if the hashes prove that it goes on from what was seen, and keeps it.
func (w *Witness) Take(c tree.Checkpoint, hashes []tree.Hash) error {
	return w.take(w.Seen(), c, hashes)
}

func (w *Witness) take(seen, c tree.Checkpoint, hashes []tree.Hash) error {
	if refusal := tree.Follows(seen, c, hashes); refusal != nil {
		return w.forked(refusal, seen.Note, c.Note)
	}
	if c.Size <= seen.Size {
		return nil
	}
	return w.keep(seen, c)
}

// forked is the error of a log that is not the one that was seen, with what proves it: the checkpoint
// that was seen and the one that is shown, if it is signed at all.
func (w *Witness) forked(refusal error, seen, shown []byte) error {
	what := "both checkpoints, as signed:\n" + tree.Evidence(seen, shown)
	if shown == nil {
		what = "what was seen, as signed:\n" + string(seen)
	}
	return app.Fail(fmt.Errorf("%w; %s", refusal, what),
		"Nothing was changed; this client keeps what it saw before in "+w.file+".",
		"keep this as evidence; juju audit verify tells what differs")
}

// Keep writes down a checkpoint that was proved to go on from what was seen. A checkpoint that is
// not newer changes nothing.
func (w *Witness) Keep(c tree.Checkpoint) error {
	seen := w.Seen()
	if c.Size <= seen.Size {
		return nil
	}
	if err := w.keep(seen, c); !errors.Is(err, errSeenMore) {
		return err
	}
	return nil
}

// keep writes down a checkpoint that goes on from seen. Commands of one client keep theirs one after
// another, and none forgets what another one has seen.
func (w *Witness) keep(seen, c tree.Checkpoint) error {
	unlock, err := w.lock()
	if err != nil {
		return fmt.Errorf("keep the checkpoint of the log: %w", err)
	}
	defer unlock()
	if err := w.read(); err != nil {
		return err
	}
	if w.Seen().Size != seen.Size {
		return errSeenMore
	}
	if err := host.WriteFile(w.file, c.Note); err != nil {
		return fmt.Errorf("keep the checkpoint of the log: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = c
	return nil
}

func (w *Witness) lock() (unlock func(), err error) {
	if err := host.MakeDirectory(filepath.Dir(w.file)); err != nil {
		return nil, err
	}
	return host.Lock(w.file + ".lock")
}
