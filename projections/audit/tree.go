package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
)

// Codes of findings about the log's bytes. Each says that somebody changed the log's past.
const (
	FoundLogGap = events.CodeLogGap    // records are missing that were signed for, or within the log
	FoundTamper = events.CodeLogTamper // a record is not the one that was written there
	FoundFork   = tree.CodeFork        // the log is not the one that somebody saw before
)

// Witness is a head of the log that somebody has seen before, which the log must continue.
type Witness struct {
	Who  string // "the state server's checkpoint", for a person
	Code string // FoundTamper, or FoundFork
	tree.Head
}

// Tree compares the bytes of a log with heads that were seen before, in one pass over the log.
type Tree struct {
	Findings []Finding
	Leaves   []tree.Hash

	place tree.Place
	edge  tree.Edge
	want  map[uint64][]Witness
	most  uint64
}

// NewTree starts with an empty log. A witness of the empty log is ignored, since every log continues it.
func NewTree(environment string, witnesses ...Witness) *Tree {
	t := &Tree{place: tree.LogOf(environment), want: map[uint64][]Witness{}}
	for _, w := range witnesses {
		if w.Size > 0 {
			t.want[w.Size] = append(t.want[w.Size], w)
			t.most = max(t.most, w.Size)
		}
	}
	return t
}

// Compared says in words what the log is compared with.
func (t *Tree) Compared() []string {
	out := []string{}
	for _, size := range slices.Sorted(maps.Keys(t.want)) {
		for _, w := range t.want[size] {
			out = append(out, fmt.Sprintf("%d records by %s", w.Size, w.Who))
		}
	}
	return out
}

// Need is how many records the log must have at least.
func (t *Tree) Need() uint64 { return t.most }

// Size is how many records were added.
func (t *Tree) Size() uint64 { return t.edge.Size() }

// Add takes what events.Log.Stored yields: the next record or, with events.ErrGap, the last of the
// sequences that are missing. It returns every other error.
func (t *Tree) Add(s events.Stored, err error) error {
	switch {
	case errors.Is(err, events.ErrGap):
		t.find(t.Size()+1, FoundLogGap, err.Error())
		for t.Size() < s.Seq {
			t.add(tree.Hash{})
		}
		return nil
	case err != nil:
		return err
	}
	t.add(t.place.Leaf(s.Seq, s.Entity, s.Bytes))
	return nil
}

func (t *Tree) add(leaf tree.Hash) {
	t.Leaves = append(t.Leaves, leaf)
	t.edge.Add(leaf)
	for _, w := range t.want[t.Size()] {
		if got := t.edge.Head(); got != w.Head {
			t.find(0, w.Code, fmt.Sprintf("the log's first %d records give the root %s; %s says %s", w.Size, got.Root, w.Who, w.Root))
		}
	}
}

// End is called after the last record. It finds that the log is shorter than a witness has seen it.
func (t *Tree) End() {
	if t.Size() < t.most {
		t.find(t.Size()+1, FoundLogGap, fmt.Sprintf("the log ends at %d; %d records were signed for", t.Size(), t.most))
	}
}

// Locate finds the records that were changed, by the leaves that the log had when head was signed. It
// returns false, and finds nothing, if the leaves do not give the root of head: somebody made them up.
func (t *Tree) Locate(leaves []tree.Hash, head tree.Head) bool {
	var e tree.Edge
	for _, leaf := range leaves[:min(uint64(len(leaves)), head.Size)] {
		e.Add(leaf)
	}
	if e.Head() != head {
		return false
	}
	for i := range min(head.Size, t.Size()) {
		if t.Leaves[i] != leaves[i] && t.Leaves[i] != (tree.Hash{}) {
			t.find(i+1, FoundTamper, fmt.Sprintf("the record at %d is not the one that was written there", i+1))
		}
	}
	return true
}

func (t *Tree) find(seq uint64, code, text string) {
	t.Findings = append(t.Findings, Finding{seq, code, text})
}
