package crashfs

import (
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/jujube-project/jujube/host"
)

// Call is one use of the file system.
type Call struct {
	N    int    // from 1
	Op   string // "write", "sync", "sync dir", "rename" …
	Path string
}

// FS is a file system in memory. It is not safe for concurrent use.
type FS struct {
	Model Model
	// Before says whether a call is done, fails, or is only said to be done. nil: all are done.
	Before func(Call) (skip bool, err error)
	// After is called after every call that may have changed what a power cut would leave.
	After func(Call)
	Space int64 // what Free says

	calls   int
	nodes   map[int]*node
	next    int
	pending []change // changes to names that are not durable yet, oldest first
}

var _ host.Disk = (*FS)(nil)

// node is a file, a directory or a link, by number.
type node struct {
	kind    fs.FileMode
	target  string
	data    []byte
	durable []byte // the part of data that is durable
	lost    bool   // a sync failed: what was not durable is lost, and no later sync says so
	names   map[string]int
	kept    map[string]int // the names that are durable
}

// change is one atomic change to the names of a directory. from is empty, except in a rename.
type change struct {
	dir      int
	from, to string
	node     int // 0: to is removed
}

const root = 1

// New makes an empty file system.
func New(m Model) *FS {
	f := &FS{Model: m, Space: 1 << 40, nodes: map[int]*node{}, next: root}
	f.add(fs.ModeDir)
	return f
}

func (f *FS) add(kind fs.FileMode) int {
	n := &node{kind: kind}
	if kind.IsDir() {
		n.names, n.kept = map[string]int{}, map[string]int{}
	}
	f.nodes[f.next] = n
	f.next++
	return f.next - 1
}

// Clone is a copy, without the power cut: what the next process finds when the one before was
// killed.
func (f *FS) Clone() *FS {
	c := &FS{Model: f.Model, Space: f.Space, nodes: map[int]*node{}, next: f.next, pending: slices.Clone(f.pending)}
	for id, n := range f.nodes {
		m := *n
		m.data, m.names, m.kept = slices.Clone(n.data), maps.Clone(n.names), maps.Clone(n.kept)
		c.nodes[id] = &m
	}
	return c
}

// SyncAll makes everything durable.
func (f *FS) SyncAll() {
	for _, n := range f.nodes {
		n.durable = slices.Clone(n.data)
	}
	f.commit(func(change) bool { return true })
}

// Calls is how many calls were made.
func (f *FS) Calls() int { return f.calls }

func (f *FS) begin(op, path string) (c Call, skip bool, err error) {
	f.calls++
	c = Call{f.calls, op, path}
	if f.Before != nil {
		skip, err = f.Before(c)
	}
	if err != nil {
		err = &fs.PathError{Op: op, Path: path, Err: err}
	}
	return c, skip, err
}

func (f *FS) end(c Call) {
	if f.After != nil {
		f.After(c)
	}
}

// find gives the node of a path, or says what is missing on the way.
func (f *FS) find(op, path string) (id int, err error) {
	id = root
	for part := range strings.SplitSeq(strings.Trim(filepath.Clean(path), "/"), "/") {
		if part == "" {
			continue
		}
		if !f.nodes[id].kind.IsDir() {
			return 0, &fs.PathError{Op: op, Path: path, Err: syscall.ENOTDIR}
		}
		var ok bool
		if id, ok = f.nodes[id].names[part]; !ok {
			return 0, &fs.PathError{Op: op, Path: path, Err: syscall.ENOENT}
		}
	}
	return id, nil
}

// change changes the names of a directory. The change is not durable yet.
func (f *FS) change(c change) {
	f.pending = append(f.pending, c)
	c.apply(f.nodes[c.dir].names)
}

func (c change) apply(names map[string]int) {
	if c.from != "" {
		delete(names, c.from)
	}
	if c.node == 0 {
		delete(names, c.to)
		return
	}
	names[c.to] = c.node
}

// commit makes changes durable, in their order.
func (f *FS) commit(which func(change) bool) {
	rest := f.pending[:0:0]
	for _, c := range f.pending {
		if which(c) {
			c.apply(f.nodes[c.dir].kept)
		} else {
			rest = append(rest, c)
		}
	}
	f.pending = rest
	f.forget()
}

// forget drops pending changes in directories that do not exist any more in any state after a cut.
func (f *FS) forget() {
	found := map[int]bool{}
	f.reach(root, found)
	for n := 0; n < len(found); {
		n = len(found)
		for _, c := range f.pending {
			if found[c.dir] && c.node != 0 {
				f.reach(c.node, found)
			}
		}
	}
	f.pending = slices.DeleteFunc(f.pending, func(c change) bool { return !found[c.dir] })
}

func (f *FS) reach(id int, found map[int]bool) {
	if found[id] {
		return
	}
	found[id] = true
	for _, child := range f.nodes[id].kept {
		f.reach(child, found)
	}
}
