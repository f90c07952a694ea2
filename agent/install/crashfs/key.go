package crashfs

import (
	"maps"
	"slices"
	"strconv"
)

// Key is the same for file systems that cannot be told apart, neither now nor after a
// power cut. hide replaces a file's content by what matters of it.
func (f *FS) Key(hide func(data []byte) []byte) string {
	k := key{fs: f, hide: hide, numbers: map[int]int{}}
	k.node(root)
	for _, c := range f.pending {
		k.text("change", c.from, c.to)
		k.node(c.dir)
		k.node(c.node)
	}
	return string(k.b)
}

// key writes a graph of nodes in one order, and numbers them in it.
type key struct {
	fs      *FS
	hide    func([]byte) []byte
	numbers map[int]int
	b       []byte
}

func (k *key) text(all ...string) {
	for _, s := range all {
		k.b = strconv.AppendInt(k.b, int64(len(s)), 10)
		k.b = append(append(k.b, ' '), s...)
	}
}

func (k *key) node(id int) {
	number, known := k.numbers[id]
	if !known {
		number = len(k.numbers)
		k.numbers[id] = number
	}
	k.text(strconv.Itoa(number))
	n := k.fs.nodes[id]
	if known || n == nil {
		return
	}
	k.text(n.kind.String(), n.target, string(k.hide(n.data)), string(k.hide(n.durable)), strconv.FormatBool(n.lost))
	for _, names := range []map[string]int{n.names, n.kept} {
		k.text(strconv.Itoa(len(names)))
		for _, name := range slices.Sorted(maps.Keys(names)) {
			k.text(name)
			k.node(names[name])
		}
	}
}
