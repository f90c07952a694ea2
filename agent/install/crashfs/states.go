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

// What file systems promise.
const (
	// Ext4: names become durable in the order of their changes, and with any sync all of
	// them. Content that was not synced is there in part, or not at all.
	Ext4 Model = iota
	// Minimal is the least that POSIX allows: of the changes to names that their own
	// directory's sync did not follow, any may be durable and any not; content that was
	// not synced may also have its length and none of its bytes.
	Minimal
)

func (m Model) String() string { return [...]string{"ext4-like", "POSIX-minimal"}[m] }

// synced makes names durable after a sync of a directory, or of a file (0).
func (m Model) synced(f *FS, dir int) {
	f.commit(func(c change) bool { return m == Ext4 || c.dir == dir })
}

// most is how many changes may wait for a sync before their subsets are too many to try.
const most = 14

// States gives every state that a power cut now can leave, each once or more often. In the
// first all is lost that was not synced, in the last nothing. A state is valid until the
// next is asked for; its Clone is for good.
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

// names gives the sets of changes that may be durable.
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

// contents gives the states with those changes, for everything that may have become of
// each file that still has a name.
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

// copyNamed takes over what has a name, and says which files may have lost content.
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

// Dump is what lies on the file system, to be read.
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
