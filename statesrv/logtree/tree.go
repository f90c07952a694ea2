package logtree

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
)

// How often the log's head is signed while there is something new.
const (
	signEvery   = time.Second
	signRecords = 256
)

// CheckpointError says that the file of the checkpoint cannot be read.
type CheckpointError struct {
	File string
	Err  error
}

func (e *CheckpointError) Error() string { return "the checkpoint " + e.File + ": " + e.Err.Error() }
func (e *CheckpointError) Unwrap() error { return e.Err }

// Tree is the tree over one log. The writer's goroutine adds and signs; any goroutine may
// ask for the newest checkpoint and for proofs.
type Tree struct {
	place       tree.Place
	environment string
	signer      *tree.Signer
	hashes      *hashes
	file        string // where the newest checkpoint lies; empty: nowhere
	logger      *slog.Logger

	// unpublished holds the newest checkpoint until somebody takes it to publish it.
	unpublished chan tree.Checkpoint

	edge   tree.Edge // with every record that was added; the writer's goroutine only
	signed time.Time // when the head was signed last; likewise

	mu   sync.Mutex
	last tree.Checkpoint // the newest; it and its hashes are on disk
}

// New makes an empty tree in memory.
func New(environment string, signer *tree.Signer, logger *slog.Logger) *Tree {
	return &Tree{
		place: tree.LogOf(environment), environment: environment, signer: signer, hashes: &hashes{},
		unpublished: make(chan tree.Checkpoint, 1), logger: logger,
	}
}

// Open opens the tree that lies in a directory, up to what was signed; an empty one if there
// is none. Hashes that are lost or damaged are no loss: the log gives them again. A checkpoint that cannot be
// read is a *CheckpointError, because what was signed must not be forgotten.
func Open(dir, environment string, signer *tree.Signer, logger *slog.Logger) (*Tree, error) {
	t := New(environment, signer, logger)
	t.file = filepath.Join(dir, "checkpoint")
	var err error
	if t.hashes, err = openHashes(filepath.Join(dir, "hashes")); err != nil {
		return nil, err
	}
	if err := t.reopen(); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// reopen reads the checkpoint, and as many hashes as it stands for, if they give its root.
func (t *Tree) reopen() error {
	note, err := host.ReadPinned(t.file)
	if err == nil {
		t.last, err = tree.Parse(note, t.environment)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &CheckpointError{t.file, err}
	}
	usable := t.last.Size
	if root, err := t.rootAt(usable); err != nil || root != t.last.Root {
		t.logger.Warn("the hashes of the log do not give the root that was signed; they are made again", "signed", t.last.Head, "err", err)
		usable = 0
	}
	if err := t.hashes.cut(usable); err != nil {
		return err
	}
	t.edge, err = tree.ReadEdge(usable, t.hashes)
	return err
}

// Close closes the file of the hashes.
func (t *Tree) Close() error { return t.hashes.close() }

// Size is how many records were added.
func (t *Tree) Size() uint64 { return t.edge.Size() }

// Add adds the next record of the log, or compares one that was added before. A record that
// differs is refused with events.CodeLogTamper.
func (t *Tree) Add(s events.Stored) error {
	leaf := t.place.Leaf(s.Seq, s.Entity, s.Bytes)
	if s.Seq > t.edge.Size() {
		t.hashes.add(t.edge.Add(leaf))
		return nil
	}
	known, err := t.Leaf(s.Seq)
	if err == nil && known != leaf {
		err = events.Refuse(events.CodeLogTamper, "the record at %d is not the one that was written there", s.Seq)
	}
	return err
}

// Append adds records that were just appended to the log.
func (t *Tree) Append(recs []events.Record) {
	for _, rec := range recs {
		b, err := events.Marshal(rec)
		if err != nil {
			panic(fmt.Sprintf("a record that was appended cannot be written: %v", err))
		}
		t.hashes.add(t.edge.Add(t.place.Leaf(t.edge.Size()+1, rec.Entity, b)))
	}
}

// Newest is the newest checkpoint; the zero one if nothing was signed yet.
func (t *Tree) Newest() tree.Checkpoint {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// Unpublished gives each checkpoint to whoever publishes them; one that was not taken gives
// way to a newer one.
func (t *Tree) Unpublished() <-chan tree.Checkpoint { return t.unpublished }

// SignIfDue signs the head if enough was added, or some and a while ago.
func (t *Tree) SignIfDue(now time.Time) {
	added := t.edge.Size() - t.Newest().Size
	if added == 0 || added < signRecords && now.Sub(t.signed) < signEvery {
		return
	}
	if err := t.Sign(now); err != nil {
		t.logger.Error("signing a checkpoint of the log", "err", err)
	}
}

// Sign signs the head of everything that was added, if it is not signed yet. The order of
// its steps keeps a state server from forgetting what it has signed, and from saying what it
// cannot prove: first the hashes are on disk, then the checkpoint, and then others see it.
func (t *Tree) Sign(now time.Time) error {
	if t.edge.Size() == t.Newest().Size {
		return nil
	}
	c, err := t.signer.Sign(t.edge.Head())
	if err != nil {
		return err
	}
	if err := t.hashes.flush(); err != nil {
		return err
	}
	if t.file != "" {
		if err := host.WriteFile(t.file, c.Note); err != nil {
			return err
		}
	}
	t.mu.Lock()
	t.last = c
	t.mu.Unlock()
	t.signed = now
	select {
	case <-t.unpublished: // an older one, which nobody needs any more
	default:
	}
	t.unpublished <- c // never blocks: there is one sender, and it has just made room
	return nil
}

// Prove proves that a record lies in the log to somebody who has seen one of the heads whose
// sizes are seen, or none. The head is signed now if no checkpoint covers the record yet: so
// only the writer's goroutine may call it.
func (t *Tree) Prove(rec events.Stored, seen []uint64, now time.Time) (tree.Proof, error) {
	if t.Newest().Size < rec.Seq {
		if err := t.Sign(now); err != nil {
			return tree.Proof{}, err
		}
	}
	return tree.Prove(t.Newest(), rec.Seq, rec.Entity, rec.Bytes, seen, t.hashes)
}

// Continue proves to somebody who has seen the head of that size that c's log goes on from
// there.
func (t *Tree) Continue(c tree.Checkpoint, size uint64) ([]tree.Hash, error) {
	return tree.Continue(c.Size, size, t.hashes)
}

// Check compares the tree with a checkpoint that was signed before. If they differ it is
// refused with events.CodeLogTamper.
func (t *Tree) Check(c tree.Checkpoint) error {
	root, err := t.rootAt(c.Size)
	if err == nil && c.Size > 0 && root != c.Root {
		err = events.Refuse(events.CodeLogTamper, "its first %d records give the root %s, but %s was signed", c.Size, root, c.Root)
	}
	return err
}

// rootAt is the root over the first records of the log.
func (t *Tree) rootAt(size uint64) (tree.Hash, error) {
	if size == 0 {
		return tree.Hash{}, nil
	}
	if tlog.StoredHashCount(int64(size)) > t.hashes.count() {
		return tree.Hash{}, fmt.Errorf("there are no hashes of %d records", size)
	}
	return tlog.TreeHash(int64(size), t.hashes)
}

// Leaf is the leaf of a record that was added.
func (t *Tree) Leaf(seq uint64) (tree.Hash, error) {
	leaves, err := t.hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(seq)-1)})
	if err != nil {
		return tree.Hash{}, err
	}
	return leaves[0], nil
}
