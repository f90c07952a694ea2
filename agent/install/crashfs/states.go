package crashfs

import (
	"bytes"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Model is what a file system promises of what was not synced.
type Model int

// Models of file systems.
const (
	// Ext4: changes to names become durable in their order, and any sync makes all of them
	// durable. Content that was not synced is there in part, or not at all.
	Ext4 Model = iota
	// Minimal promises the least that POSIX allows. Of the changes to names in a directory that
	// was not synced since, each may be durable or not. Content that was not synced may also
	// have its full length, with zeros in place of its bytes.
	Minimal
)

func (m Model) String() string { return [...]string{"ext4-like", "POSIX-minimal"}[m] }

// synced makes durable what a sync of the directory dir does; dir is 0 for the sync of a file.
func (m Model) synced(f *FS, dir int) {
	f.commit(func(c change) bool { return m == Ext4 || c.dir == dir })
}

// most is how many changes may wait for a sync. With more, there are too many subsets to try.
const most = 14

// States gives every state that a power cut now can leave, each at least once. In the first state
// everything is lost that was not synced, in the last one nothing is. A state is valid until the
// next one is asked for; take its Clone to keep it.
func (f *FS) States() iter.Seq[*FS] {
	return func(yield func(*FS) bool) {
		for names := range f.Model.names(f) {
			for s := range f.contents(names) {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// names gives every set of pending changes that may be durable after a cut.
func (m Model) names(f *FS) iter.Seq[[]change] {
	return func(yield func([]change) bool) {
		if m == Ext4 {
			for n := range len(f.pending) + 1 {
				if !yield(f.pending[:n]) {
					return
				}
			}
			return
		}
		if len(f.pending) > most {
			panic(fmt.Sprintf("crashfs: %d changes were not synced: %+v", len(f.pending), f.pending))
		}
		for bits := range 1 << len(f.pending) {
			var kept []change
			for i, c := range f.pending {
				if bits&(1<<i) != 0 {
					kept = append(kept, c)
				}
			}
			if !yield(kept) {
				return
			}
		}
	}
}

// contents gives the states in which just these changes are durable: one for each combination of
// what the files that still have a name can hold.
func (f *FS) contents(kept []change) iter.Seq[*FS] {
	base := &FS{Model: f.Model, Space: f.Space, nodes: map[int]*node{}, next: f.next}
	names := map[int]map[string]int{}
	for id, n := range f.nodes {
		names[id] = n.kept
	}
	for _, c := range kept {
		names[c.dir] = maps.Clone(names[c.dir])
		c.apply(names[c.dir])
	}
	dirty := base.copyNamed(f, names, root)
	slices.Sort(dirty)
	return func(yield func(*FS) bool) { base.choose(dirty, f, yield) }
}

// copyNamed copies the nodes that have a name, and says which files may have lost content.
func (s *FS) copyNamed(f *FS, names map[int]map[string]int, id int) (dirty []int) {
	n := f.nodes[id]
	c := &node{kind: n.kind, target: n.target, data: n.durable, durable: n.durable}
	s.nodes[id] = c
	if n.kind == 0 && !bytes.Equal(n.data, n.durable) {
		dirty = append(dirty, id)
	}
	if n.kind.IsDir() {
		c.names, c.kept = maps.Clone(names[id]), maps.Clone(names[id])
		for _, child := range c.names {
			dirty = append(dirty, s.copyNamed(f, names, child)...)
		}
	}
	return dirty
}

// choose gives a state for each combination of what the files can hold.
func (s *FS) choose(dirty []int, f *FS, yield func(*FS) bool) bool {
	if len(dirty) == 0 {
		return yield(s)
	}
	id := dirty[0]
	for _, data := range f.Model.contents(f.nodes[id]) {
		s.nodes[id].data, s.nodes[id].durable = data, data
		if !s.choose(dirty[1:], f, yield) {
			return false
		}
	}
	return true
}

// contents are what a file whose content was not synced can hold.
func (m Model) contents(n *node) [][]byte {
	all := [][]byte{n.durable}
	if rest, grown := bytes.CutPrefix(n.data, n.durable); grown {
		all = append(all, n.data[:len(n.data)-(len(rest)+1)/2])
		if m == Minimal {
			all = append(all, append(slices.Clone(n.durable), make([]byte, len(rest))...))
		}
	} else {
		all = append(all, nil)
	}
	return append(all, n.data)
}

// Dump prints what lies on the file system, for a person.
func (f *FS) Dump() string {
	var b strings.Builder
	f.dump(&b, root, "")
	return b.String()
}

func (f *FS) dump(b *strings.Builder, id int, path string) {
	n := f.nodes[id]
	switch n.kind {
	case fs.ModeSymlink:
		fmt.Fprintf(b, "%s -> %s\n", path, n.target)
	case fs.ModeDir:
		fmt.Fprintf(b, "%s/\n", path)
		for _, name := range slices.Sorted(maps.Keys(n.names)) {
			f.dump(b, n.names[name], path+"/"+name)
		}
	default:
		fmt.Fprintf(b, "%s %q\n", path, n.data)
	}
}
