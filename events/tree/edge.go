package tree

import (
	"golang.org/x/mod/sumdb/tlog"
)

// Edge is the right edge of a growing tree: the few hashes that are needed to add the next leaf and to
// give the root. The zero Edge is that of the empty tree.
type Edge struct {
	size uint64
	full []Hash // roots of the complete subtrees that make up the tree, the largest first
}

// Size is the number of leaves.
func (e *Edge) Size() uint64 { return e.size }

// Add adds a leaf. It returns the hashes that a store must append, in the order of
// tlog.StoredHashIndex: the leaf, and the root of each subtree that this leaf completes. The slice is
// valid until the next Add.
func (e *Edge) Add(leaf Hash) []Hash {
	done := []Hash{leaf}
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.full) - 1
		leaf = tlog.NodeHash(e.full[last], leaf)
		e.full = e.full[:last]
		done = append(done, leaf)
	}
	e.full = append(e.full, leaf)
	e.size++
	return done
}

// Head is the tree's size and root.
func (e *Edge) Head() Head {
	if e.size == 0 {
		return Head{}
	}
	root := e.full[len(e.full)-1]
	for i := len(e.full) - 2; i >= 0; i-- {
		root = tlog.NodeHash(e.full[i], root)
	}
	return Head{Size: e.size, Root: root}
}

// ReadEdge gives the edge of a tree of that size, from the stored hashes of the tree.
func ReadEdge(size uint64, r tlog.HashReader) (Edge, error) {
	e := Edge{size: size}
	var indexes []int64
	var before int64
	for level := 62; level >= 0; level-- {
		if size>>level&1 == 1 {
			indexes = append(indexes, tlog.StoredHashIndex(level, before>>level))
			before += 1 << level
		}
	}
	if size == 0 {
		return e, nil
	}
	full, err := r.ReadHashes(indexes)
	e.full = full
	return e, err
}
