package statesrv

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
)

// How often the log's head is signed while there is something new.
const (
	signEvery   = time.Second
	signRecords = 256
)

// keeper keeps the tree over the log, beside the log, and signs its head. The writer's
// goroutine adds and signs; any may ask for proofs.
type keeper struct {
	place  tree.Place
	signer *tree.Signer
	hashes *hashes
	file   string               // where the newest checkpoint lies; empty: nowhere
	send   chan tree.Checkpoint // the newest that NATS does not have yet
	logger *slog.Logger

	edge   tree.Edge
	signed time.Time // when the head was signed last

	mu   sync.Mutex
	last tree.Checkpoint
}

func (s *Server) treeDir() string { return filepath.Join(s.cfg.Dir, "tree") }

// newKeeper keeps a tree in memory.
func newKeeper(environment string, signer *tree.Signer, logger *slog.Logger) *keeper {
	return &keeper{place: tree.LogOf(environment), signer: signer, hashes: &hashes{}, send: make(chan tree.Checkpoint, 1), logger: logger}
}

// openKeeper opens the tree of a former term, up to what was signed. Hashes that are lost
// or damaged are no loss: the log gives them again, and the checkpoint judges them.
func (s *Server) openKeeper() (*keeper, error) {
	k := newKeeper(s.cfg.Environment, s.cfg.LogKey, s.cfg.Logger)
	k.file = filepath.Join(s.treeDir(), "checkpoint")
	var err error
	if k.hashes, err = openHashes(filepath.Join(s.treeDir(), "hashes")); err != nil {
		return nil, err
	}
	note, err := os.ReadFile(k.file)
	if err == nil {
		k.last, err = tree.Parse(note, s.cfg.Environment)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: the checkpoint %s: %w; nothing was changed; put back a copy of it, or remove it to believe the log as it is", errUnusable, k.file, err)
	}
	usable := k.last.Size
	if root, err := k.rootAt(usable); err != nil || root != k.last.Root {
		s.cfg.Logger.Warn("the hashes of the log do not give the root that was signed; they are made again", "signed", k.last.Head, "err", err)
		usable = 0
	}
	if err := k.hashes.keep(usable); err != nil {
		return nil, err
	}
	k.edge, err = tree.ReadEdge(usable, k.hashes)
	return k, err
}

// rootAt is the root over the first records of the log.
func (k *keeper) rootAt(size uint64) (tree.Hash, error) {
	if size == 0 {
		return tree.Hash{}, nil
	}
	if tlog.StoredHashCount(int64(size)) > k.hashes.count() {
		return tree.Hash{}, fmt.Errorf("there are no hashes of %d records", size)
	}
	return tlog.TreeHash(int64(size), k.hashes)
}

// leafAt is the leaf of a record that was added.
func (k *keeper) leafAt(seq uint64) (tree.Hash, error) {
	leaves, err := k.hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(seq)-1)})
	if err != nil {
		return tree.Hash{}, err
	}
	return leaves[0], nil
}

// take adds the next record of the log, or compares one that was added before.
func (k *keeper) take(s events.Stored) error {
	leaf := k.place.Leaf(s.Seq, s.Entity, s.Bytes)
	if s.Seq > k.edge.Size() {
		k.hashes.add(k.edge.Add(leaf))
		return nil
	}
	known, err := k.leafAt(s.Seq)
	if err == nil && known != leaf {
		err = events.Refuse(codeTamper, "the record at %d is not the one that was written there", s.Seq)
	}
	return err
}

// Codes of what is wrong with a log.
const (
	codeGap    = "log-gap"
	codeTamper = "log-tamper"
)

// committed adds records that were just appended.
func (k *keeper) committed(recs []events.Record) {
	for _, rec := range recs {
		b, err := events.Marshal(rec)
		if err != nil {
			panic(fmt.Sprintf("a record that was appended cannot be written: %v", err))
		}
		k.hashes.add(k.edge.Add(k.place.Leaf(k.edge.Size()+1, rec.Entity, b)))
	}
}

// newest is the newest checkpoint.
func (k *keeper) newest() tree.Checkpoint {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.last
}

// passed signs the head if enough was added, or some and a while ago.
func (k *keeper) passed(now time.Time) {
	added := k.edge.Size() - k.newest().Size
	if added == 0 || added < signRecords && now.Sub(k.signed) < signEvery {
		return
	}
	if err := k.sign(now); err != nil {
		k.logger.Error("signing a checkpoint of the log", "err", err)
	}
}

// sign signs the head of what is committed. A checkpoint is shown to nobody before it and
// its hashes are on disk: a state server must not forget what it has signed.
func (k *keeper) sign(now time.Time) error {
	if k.edge.Size() == k.newest().Size {
		return nil
	}
	c, err := k.signer.Sign(k.edge.Head())
	if err != nil {
		return err
	}
	if err := k.hashes.flush(); err != nil {
		return err
	}
	if k.file != "" {
		if err := host.WriteFile(k.file, c.Note); err != nil {
			return err
		}
	}
	k.mu.Lock()
	k.last = c
	k.mu.Unlock()
	k.signed = now
	select {
	case <-k.send: // an older one, which nobody needs any more
	default:
	}
	k.send <- c
	return nil
}

// prove makes a proof of the record at seq for who has seen one of the heads of since. The
// head is signed now if no checkpoint covers the record yet.
func (k *keeper) prove(rec events.Stored, since []uint64, now time.Time) (tree.Proof, error) {
	if k.newest().Size < rec.Seq {
		if err := k.sign(now); err != nil {
			return tree.Proof{}, err
		}
	}
	return tree.Prove(k.newest(), rec.Seq, rec.Entity, rec.Bytes, since, k.hashes)
}

// judge compares the log's tree with a checkpoint that was signed before.
func (k *keeper) judge(c tree.Checkpoint) error {
	root, err := k.rootAt(c.Size)
	if err == nil && c.Size > 0 && root != c.Root {
		err = events.Refuse(codeTamper, "its first %d records give the root %s, but %s was signed", c.Size, root, c.Root)
	}
	return err
}

// kept is the checkpoint that NATS keeps; the zero one when there is none.
func (s *Server) kept(ctx context.Context) (tree.Checkpoint, error) {
	note, err := s.cfg.Bus.Checkpoint(ctx)
	if errors.Is(err, bus.ErrNotFound) {
		return tree.Checkpoint{}, nil
	}
	if err != nil {
		return tree.Checkpoint{}, err
	}
	c, err := s.logs.Open(note)
	if err != nil {
		return c, fmt.Errorf("%w: the checkpoint that NATS keeps: %w; nothing was changed; see who else writes into this environment", errUnusable, err)
	}
	return c, nil
}

// publishCheckpoints brings the newest checkpoint to NATS, where another state server and
// every operator find it.
func (t *term) publishCheckpoints() {
	for {
		select {
		case <-t.ctx.Done():
			return
		case c := <-t.keeper.send:
			if err := t.cfg.Bus.SetCheckpoint(t.ctx, c.Note); err != nil && t.ctx.Err() == nil {
				t.cfg.Logger.Warn("bringing a checkpoint to NATS", "err", err)
			}
		}
	}
}
