package tree

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/jujube-project/jujube/events/reason"
)

// Proof says that a record lies in a log, and that this log goes on from one that its
// reader has seen.
type Proof struct {
	Checkpoint []byte         `json:"checkpoint"` // the signed note
	Seq        uint64         `json:"seq"`        // of the record
	Entity     string         `json:"entity"`     // what the record is about
	Record     []byte         `json:"record"`     // its exact bytes
	Inclusion  []Hash         `json:"inclusion"`  // from its leaf to the root
	Since      []Continuation `json:"since,omitempty"`
}

// Continuation says that the checkpoint's log begins with one of From records.
type Continuation struct {
	From   uint64 `json:"from"`
	Hashes []Hash `json:"hashes"`
}

// Limits of a proof: a tree of 2^56 leaves has 56 hashes on the way to its root.
const (
	MaxProofHashes = 64
	MaxSince       = 16
)

// Codes of refusals.
const (
	CodeProof = "log-proof" // there is no proof, or it proves something else
	CodeFork  = "log-fork"  // the log is not the one that was seen before
)

// Prove makes a proof for the record at seq, below a checkpoint, for a reader who has seen
// one of the heads of the sizes in since. r gives the hashes of the tree.
func Prove(c Checkpoint, seq uint64, entity string, record []byte, since []uint64, r tlog.HashReader) (Proof, error) {
	p := Proof{Checkpoint: c.Note, Seq: seq, Entity: entity, Record: record}
	var err error
	if p.Inclusion, err = tlog.ProveRecord(int64(c.Size), int64(seq)-1, r); err != nil {
		return p, fmt.Errorf("prove the record at %d: %w", seq, err)
	}
	slices.Sort(since)
	for _, from := range slices.Compact(since) {
		if from == 0 || from >= c.Size || len(p.Since) == MaxSince {
			continue
		}
		hashes, err := Continue(c.Size, from, r)
		if err != nil {
			return p, err
		}
		p.Since = append(p.Since, Continuation{from, hashes})
	}
	return p, nil
}

// Continue proves that a log of size records begins with one of from records.
func Continue(size, from uint64, r tlog.HashReader) ([]Hash, error) {
	hashes, err := tlog.ProveTree(int64(size), int64(from), r)
	if err != nil {
		return nil, fmt.Errorf("prove that a log of %d records goes on from %d: %w", size, from, err)
	}
	return hashes, nil
}

// Check believes a proof, or says why not. known is the newest checkpoint that its reader
// believed before; the zero Checkpoint: none. What it returns is the newest from then on,
// to be kept before anything is done.
func (v Verifiers) Check(p Proof, place Place, known Checkpoint) (Checkpoint, *reason.Reason) {
	c, err := v.Open(p.Checkpoint)
	switch {
	case err != nil:
		return known, reason.Refuse(CodeProof, "%v", err)
	case p.Seq == 0 || p.Seq > c.Size:
		return known, reason.Refuse(CodeProof, "the checkpoint is of %d records, the request is said to lie at %d", c.Size, p.Seq)
	case len(p.Inclusion) > MaxProofHashes || len(p.Since) > MaxSince:
		return known, reason.Refuse(CodeProof, "the proof is longer than any can be")
	}
	leaf := place.Leaf(p.Seq, p.Entity, p.Record)
	if err := tlog.CheckRecord(p.Inclusion, int64(c.Size), c.Root, int64(p.Seq)-1, leaf); err != nil {
		return known, reason.Refuse(CodeProof, "the request does not lie in the log at %d: %v", p.Seq, err)
	}
	i := slices.IndexFunc(p.Since, func(s Continuation) bool { return s.From == known.Size })
	var hashes []Hash
	if i >= 0 {
		hashes = p.Since[i].Hashes
	}
	if refusal := Follows(known, c, hashes); refusal != nil {
		return known, refusal
	}
	return c, nil
}

// Follows says whether a log at c goes on from the same log at known. hashes prove it where
// c is larger.
func Follows(known, c Checkpoint, hashes []Hash) *reason.Reason {
	switch {
	case known.Size == 0:
		return nil
	case c.Size < known.Size:
		return fork(known, c, "is older than the one seen before")
	case c.Size == known.Size && c.Root != known.Root:
		return fork(known, c, "has another content than the one seen before")
	case c.Size == known.Size:
		return nil
	case len(hashes) == 0:
		return reason.Refuse(CodeProof, "nothing proves that the log of %d records goes on from the %d that were seen before", c.Size, known.Size)
	case len(hashes) > MaxProofHashes:
		return reason.Refuse(CodeProof, "the proof is longer than any can be")
	}
	if tlog.CheckTree(hashes, int64(c.Size), c.Root, int64(known.Size), known.Root) != nil {
		return fork(known, c, "does not go on from the one seen before")
	}
	return nil
}

// fork is a log that lost or changed its past, or shows one past to one and another to
// others.
func fork(known, c Checkpoint, how string) *reason.Reason {
	return reason.Refuse(CodeFork, "the log (%s) %s (%s)", c.Head, how, known.Head)
}

// Evidence is what proves a fork to everybody else: both checkpoints, as they were signed.
func Evidence(known, shown []byte) string { return string(known) + "\n" + string(shown) }
