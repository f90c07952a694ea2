package crashfs

import (
	"maps"
	"slices"
	"strconv"
)

// Key is equal for two file systems that look the same now and after any power cut. hide reduces the
// content of a file to the part that matters.
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

// key writes the graph of nodes in a fixed order, and numbers the nodes in that order.
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
