package streams

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
)

// Generated says what Generate did.
type Generated struct {
	Found   []Found
	Copied  int  // archives copied into tools/STREAM
	Changed bool // false: the tree and its metadata were already as asked
}

// Plan is how Generate makes the metadata of one stream.
type Plan struct {
	Stream string
	Clean  bool                           // forget the old metadata, marks and other streams included
	Marks  map[version.Number]tools.Marks // replace what the old metadata says of those versions
	Signer Signer
	Life   time.Duration // of the signatures; they are renewed when half of it is over
	Now    time.Time
}

// Generate builds or refreshes the tree of one stream in DIR/tools from the archives in
// DIR/tools/STREAM, DIR/tools and DIR, named juju-BINARY.tgz; those not in
// DIR/tools/STREAM yet are copied there. (Archives of the released stream may stay in
// Juju's older DIR/tools/releases.)
//
// Every archive is read whole and unpacked without writing it. If one is bad, or two files of
// one name differ, nothing is written. A version that the old metadata marks as revoked, floor
// or dead end stays marked. One bundle of signed metadata beside the tree covers the index, the
// products and the archives.
//
// Generate a second time changes nothing, not even a date, until half the life of the
// signatures is over.
func Generate(dir string, p Plan) (Generated, error) {
	g, err := generate(dir, p)
	if err != nil {
		return g, fmt.Errorf("generate metadata of stream %s: %w", p.Stream, err)
	}
	return g, nil
}

func generate(dir string, p Plan) (Generated, error) {
	if err := simplestreams.CheckStream(p.Stream); err != nil {
		return Generated{}, err
	}
	base := filepath.Join(dir, "tools")
	archives, err := collect(dir, p.Stream)
	if err != nil {
		return Generated{}, err
	}
	if err := p.checkMarks(archives); err != nil {
		return Generated{}, err
	}
	old, err := oldMetadata(directory(base), p)
	if err != nil {
		return Generated{}, err
	}
	var g Generated
	for _, a := range archives {
		if a.from != "" {
			if err := copyArchive(directory(base).path(a.Path), a); err != nil {
				return g, fmt.Errorf("copy %s: %w; the metadata was not changed", a.from, err)
			}
			g.Copied++
		}
		a.Marks = old.marks[a.Tools]
		if m, ok := p.Marks[a.Version.Number]; ok {
			a.Marks = m
		}
		g.Found = append(g.Found, a.Found)
	}
	wrote, err := old.write(base, p, g.Found)
	g.Changed = wrote || g.Copied > 0
	if err == nil && p.Clean {
		err = removeOthers(base, p.Stream)
	}
	return g, err
}

// checkMarks refuses a mark on a version that the tree does not have.
func (p Plan) checkMarks(archives []anArchive) error {
	for n := range p.Marks {
		if !slices.ContainsFunc(archives, func(a anArchive) bool { return a.Version.Number == n }) {
			return fmt.Errorf("there is no archive of version %s to mark; nothing was written", n)
		}
	}
	return nil
}

// anArchive is one archive. from is the path that it must be copied from; empty: it is in
// DIR/tools/STREAM already.
type anArchive struct {
	Found
	from string
}

// collect finds and reads the archives, sorted by version.
func collect(dir, stream string) ([]anArchive, error) {
	tree := filepath.Join(dir, "tools")
	places := []struct{ dir, below string }{{filepath.Join(tree, stream), stream}, {tree, ""}, {dir, ""}}
	if stream == "released" {
		places = slices.Insert(places, 1, struct{ dir, below string }{filepath.Join(tree, "releases"), "releases"})
	}
	first, where := map[version.Binary]anArchive{}, map[version.Binary]string{}
	var wrong []error
	for _, p := range places {
		names, err := filesNamed(p.dir, "juju-", ".tgz")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			t, err := Describe(name)
			old, twice := first[t.Version]
			switch {
			case err != nil:
				wrong = append(wrong, err)
			case twice && old.Tools != t:
				wrong = append(wrong, fmt.Errorf("%s (sha256 %s) and %s (sha256 %s) differ", where[t.Version], old.SHA256, name, t.SHA256))
			case !twice && p.below != "":
				first[t.Version], where[t.Version] = anArchive{Found: Found{Tools: t, Path: p.below + "/" + t.FileName()}}, name
			case !twice:
				first[t.Version], where[t.Version] = anArchive{Found: Found{Tools: t, Path: stream + "/" + t.FileName()}, from: name}, name
			}
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("nothing was written: %w", errors.Join(wrong...))
	}
	if len(first) == 0 {
		return nil, fmt.Errorf("there is no archive juju-NUMBER-SERIES-ARCH.tgz in %s, %s or %s; nothing was written", filepath.Join(tree, stream), tree, dir)
	}
	return sorted(first), nil
}

func sorted(m map[version.Binary]anArchive) []anArchive {
	list := make([]anArchive, 0, len(m))
	for _, a := range m {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b anArchive) int {
		if c := a.Version.Compare(b.Version.Number); c != 0 {
			return c
		}
		return strings.Compare(a.Version.Platform(), b.Version.Platform())
	})
	return list
}

func filesNamed(dir, prefix, suffix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var names []string
	for _, e := range entries {
		if n := e.Name(); strings.HasPrefix(n, prefix) && strings.HasSuffix(n, suffix) {
			names = append(names, filepath.Join(dir, n))
		}
	}
	return names, err
}
