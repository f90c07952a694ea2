package tree

import (
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/jujube-project/jujube/events/reason"
)

// Proof proves that a record lies in a log, and that this log continues one that the reader of the
// proof has seen before.
type Proof struct {
	Checkpoint []byte         `json:"checkpoint"` // the signed note
	Seq        uint64         `json:"seq"`        // of the record
	Entity     string         `json:"entity"`     // what the record is about
	Record     []byte         `json:"record"`     // its exact bytes
	Inclusion  []Hash         `json:"inclusion"`  // from its leaf to the root
	Since      []Continuation `json:"since,omitempty"`
}

// Continuation proves that the first From records of the log are the log of a former checkpoint.
type Continuation struct {
	From   uint64 `json:"from"`
	Hashes []Hash `json:"hashes"`
}

// Limits of a proof. A tree of 2^56 leaves has 56 hashes on the way from a leaf to the root.
const (
	MaxProofHashes = 64
	MaxSince       = 16
)

// Codes of refusals.
const (
	CodeProof = "log-proof" // there is no proof, or it proves something else
	CodeFork  = "log-fork"  // the log is not the one that was seen before
)

// Prove proves to a reader that the record at seq lies in the log of a checkpoint. The reader has seen a
// checkpoint of one of the sizes in since; of more than MaxSince sizes the larger ones are left out. r
// reads the stored hashes of the tree.
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

// Continue proves that a log of size records continues its own first from records.
func Continue(size, from uint64, r tlog.HashReader) ([]Hash, error) {
	hashes, err := tlog.ProveTree(int64(size), int64(from), r)
	if err != nil {
		return nil, fmt.Errorf("prove that a log of %d records goes on from %d: %w", size, from, err)
	}
	return hashes, nil
}

// Check verifies a proof. known is the newest checkpoint that the reader has accepted before; the zero
// Checkpoint means none. Check returns the checkpoint that is the newest from now on. The reader must
// make it durable before it does anything because of the proof: otherwise a reader that dies in between
// could be shown an older log later.
//
// A refusal has CodeProof, or CodeFork if the log is not the one that the reader knows; known is
// returned then.
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

// Follows says whether the log at checkpoint c continues the log at known: nil, or a refusal. If c is
// larger, hashes must prove it.
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

// fork is the refusal of a log that lost or changed its past, or that is shown to different readers with
// different pasts.
func fork(known, c Checkpoint, how string) *reason.Reason {
	return reason.Refuse(CodeFork, "the log (%s) %s (%s)", c.Head, how, known.Head)
}

// Evidence is what proves a fork to everybody else: both checkpoints, as they were signed.
func Evidence(known, shown []byte) string { return string(known) + "\n" + string(shown) }
