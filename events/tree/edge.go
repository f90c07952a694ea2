package tree

import (
	"golang.org/x/mod/sumdb/tlog"
)

// Edge is the right edge of a growing tree: what is needed to add leaves and to give the
// root at every size. The zero Edge is an empty tree.
type Edge struct {
	size uint64
	full []Hash // roots of the full subtrees that the tree consists of, the largest first
}

// Size is how many leaves were added.
func (e *Edge) Size() uint64 { return e.size }

// Add adds a leaf. It returns the hashes that are complete from here on, in the order in
// which a store keeps them (tlog.StoredHashIndex): the leaf, and each subtree it ends. They
// are valid until the next Add.
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

// ReadEdge gives the edge of a tree of that size out of the hashes that are kept of it.
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
