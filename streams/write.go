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

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/host"
)

// metadata is what the metadata of a tree said before it is written anew.
type metadata struct {
	index simplestreams.Index
	found []Found
	marks map[tools.Tools]tools.Marks
	fresh bool // this signer signed it, and the signatures hold for half of their life at least
}

// oldMetadata reads what the tree says now of its streams and its archives. It does not ask who
// signed that: whoever runs this signs what is written now. With p.Clean it takes over nothing;
// it only reads what is needed to see that nothing has to be written.
func oldMetadata(d directory, p Plan) (metadata, error) {
	m := metadata{index: simplestreams.NewIndex(), marks: map[tools.Tools]tools.Marks{}}
	b, err := d.small(simplestreams.IndexPath, maxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	index := m.index
	if err == nil {
		index, err = simplestreams.ParseIndex(b)
	}
	if err == nil {
		err = m.read(d, p, index)
	}
	switch {
	case p.Clean && (err != nil || len(index.Index) > 1):
		m.found = nil
		return m, nil
	case err != nil:
		return m, fmt.Errorf("read the old metadata: %w; nothing was written, with --clean it is made anew", err)
	}
	m.index = index
	for _, f := range m.found {
		if !p.Clean {
			m.marks[f.Tools] = f.Marks
		}
	}
	return m, nil
}

// read reads the stream's products, and whether the signatures hold.
func (m *metadata) read(d directory, p Plan, index simplestreams.Index) error {
	if _, listed := index.Index[simplestreams.ContentID(p.Stream)]; !listed {
		return nil
	}
	entry, err := index.Stream(p.Stream)
	if err != nil {
		return err
	}
	b, err := d.small(entry.Path, maxMetadata)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the index lists the stream, but its products file is gone
	}
	if err != nil {
		return err
	}
	found, faults := simplestreams.ParseProducts(b, p.Stream)
	m.found = found
	m.fresh = p.Signer.fresh(d, p)
	return errors.Join(faults...)
}

// write writes the products, then the index, then the signed metadata, each atomically. The
// order matters: the signed metadata is written last, so after a crash it never covers files
// that are not there yet. If only dates would change, nothing is written.
func (m metadata) write(base string, p Plan, list []Found) (changed bool, err error) {
	if m.fresh && same(m.found, list) {
		return false, nil
	}
	products, entry := simplestreams.Make(p.Stream, list, p.Now)
	old := m.index.Index[simplestreams.ContentID(p.Stream)]
	entry.CloudName, entry.Clouds = old.CloudName, old.Clouds
	m.index.Updated, m.index.Index[simplestreams.ContentID(p.Stream)] = products.Updated, entry
	text, err := simplestreams.Encode(products)
	if err != nil {
		return false, err
	}
	index, err := simplestreams.Encode(m.index)
	if err != nil {
		return false, err
	}
	files := map[string][]byte{entry.Path: text, simplestreams.IndexPath: index}
	bundle, err := p.Signer.sign(directory(base), p, m.found, list, files)
	if err != nil {
		return false, err
	}
	for _, f := range []struct {
		path string
		b    []byte
	}{{entry.Path, text}, {simplestreams.IndexPath, index}, {simplestreams.TrustPath, bundle.Marshal()}} {
		if err := writeFile(filepath.Join(base, filepath.FromSlash(f.path)), 0o644, bytes.NewReader(f.b)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// same says whether two lists have the same archives, in any order.
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

// copyArchive copies an archive. If it has other bytes than when it was described, nothing is
// copied.
func copyArchive(to string, a anArchive) error {
	in, err := openRegular(a.from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	h := sha256.New()
	return writeFile(to, 0o644, io.TeeReader(in, h), func() error {
		if got := hex.EncodeToString(h.Sum(nil)); got != a.SHA256 {
			return fmt.Errorf("it changed while it was read: expected sha256 %s, found %s", a.SHA256, got)
		}
		return nil
	})
}

// writeFile writes a file atomically and durably. The checks run when all bytes were written,
// before the file gets its name; if one fails, there is no new file.
func writeFile(path string, mode fs.FileMode, r io.Reader, checks ...func() error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return host.WriteStream(path, mode, func(w io.Writer) error {
		if _, err := io.Copy(w, r); err != nil {
			return err
		}
		for _, check := range checks {
			if err := check(); err != nil {
				return err
			}
		}
		return nil
	})
}
