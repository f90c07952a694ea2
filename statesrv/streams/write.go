package streams

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
)

// metadata is what a tree said before.
type metadata struct {
	index simplestreams.Index
	found []Found
	marks map[tools.Tools]simplestreams.Marks
}

// oldMetadata reads what the tree says now of its streams and its archives. With clean
// it keeps of that only what shows that nothing need be written.
func oldMetadata(d directory, stream string, clean bool) (metadata, error) {
	m := metadata{index: simplestreams.NewIndex(), marks: map[tools.Tools]simplestreams.Marks{}}
	b, err := d.small(simplestreams.IndexPath)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	index := m.index
	if err == nil {
		index, err = simplestreams.ParseIndex(b)
	}
	if err == nil {
		if _, listed := index.Index[simplestreams.ContentID(stream)]; listed {
			m.found, err = list(stream, d.String(), d.small)
		}
	}
	switch {
	case clean && (err != nil || len(index.Index) > 1):
		m.found = nil
		return m, nil
	case errors.Is(err, fs.ErrNotExist):
		err = nil // listed, but its products file is gone
	case err != nil:
		return m, fmt.Errorf("read the old metadata: %w; nothing was written, with --clean it is made anew", err)
	}
	m.index = index
	for _, f := range m.found {
		if !clean {
			m.marks[f.Tools] = f.Marks
		}
	}
	return m, nil
}

// write puts products and index in place, each whole or not at all, products first. It
// leaves both alone when only the time would change.
func (m metadata) write(base, stream string, list []Found, now time.Time) (changed bool, err error) {
	if same(m.found, list) {
		return false, nil
	}
	products, entry := simplestreams.Make(stream, list, now)
	old := m.index.Index[simplestreams.ContentID(stream)]
	entry.CloudName, entry.Clouds = old.CloudName, old.Clouds
	m.index.Updated, m.index.Index[simplestreams.ContentID(stream)] = products.Updated, entry
	text, err := simplestreams.Encode(products)
	if err != nil {
		return false, err
	}
	if err := writeFile(filepath.Join(base, entry.Path), bytes.NewReader(text)); err != nil {
		return false, err
	}
	if text, err = simplestreams.Encode(m.index); err != nil {
		return false, err
	}
	return true, writeFile(filepath.Join(base, simplestreams.IndexPath), bytes.NewReader(text))
}

func same(a, b []Found) bool {
	if len(a) != len(b) {
		return false
	}
	in := map[Found]bool{}
	for _, f := range a {
		in[f] = true
	}
	for _, f := range b {
		if !in[f] {
			return false
		}
	}
	return true
}

// removeOthers removes the products files of other streams, which no index lists now.
func removeOthers(base, stream string) error {
	names, err := filesNamed(filepath.Join(base, "streams", "v1"), "com.ubuntu.juju-", "-tools.json")
	for _, name := range names {
		if name != filepath.Join(base, simplestreams.ProductsPath(stream)) {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return err
}

// copyArchive copies an archive that was described before, unless it changed since.
func copyArchive(to string, a anArchive) error {
	in, err := openRegular(a.from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	h := sha256.New()
	return writeFile(to, io.TeeReader(in, h), func() error {
		if got := hex.EncodeToString(h.Sum(nil)); got != a.SHA256 {
			return fmt.Errorf("it changed while it was read: expected sha256 %s, found %s", a.SHA256, got)
		}
		return nil
	})
}

// writeFile writes a file whole and on disk, or not at all; checks come before it is seen.
func writeFile(path string, r io.Reader, checks ...func() error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, r)
	for _, check := range checks {
		if err == nil {
			err = check()
		}
	}
	if err == nil {
		err = errors.Join(tmp.Chmod(0o644), tmp.Sync())
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
