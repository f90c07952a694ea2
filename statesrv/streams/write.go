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
	index   simplestreams.Index
	found   []Found
	marks   map[tools.Tools]tools.Marks
	counter uint64 // of its newest signing
	fresh   bool   // its signatures are the signer's and last for a while
}

// oldMetadata reads what the tree says now of its streams and its archives, whoever
// signed it: what is written anew is vouched for by whoever runs this. With p.Clean it
// keeps of that only what shows that nothing need be written.
func oldMetadata(d directory, p Plan) (metadata, error) {
	m := metadata{index: simplestreams.NewIndex(), marks: map[tools.Tools]tools.Marks{}}
	b, err := d.small(simplestreams.IndexPath)
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

// read reads the stream's products, and what the signatures say.
func (m *metadata) read(d directory, p Plan, index simplestreams.Index) error {
	for _, e := range index.Index {
		m.counter = max(m.counter, e.Counter)
	}
	if _, listed := index.Index[simplestreams.ContentID(p.Stream)]; !listed {
		return nil
	}
	entry, err := index.Stream(p.Stream)
	if err != nil {
		return err
	}
	b, err := d.small(entry.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // listed, but its products file is gone
	}
	if err != nil {
		return err
	}
	found, faults := simplestreams.ParseProducts(b, p.Stream)
	m.found = found
	_, old := Trust{Verifier: tools.Verifier(renewing{p})}.read(p.Stream, d.small)
	m.fresh = len(old) == 0
	return errors.Join(faults...)
}

// renewing is a Verifier that takes a signature for expired when half its life is over.
type renewing struct{ Plan }

func (r renewing) Verify(path string, content, signature []byte) (tools.Statement, error) {
	st, err := r.Signer.Verify(path, content, signature)
	if err == nil && st.Expires.Sub(r.Now) < r.Life/2 {
		err = fmt.Errorf("%s: %w soon", path, tools.ErrExpired)
	}
	return st, err
}

// write puts products, index and their signatures in place, each whole or not at all,
// the index last. It leaves all alone when only times would change.
func (m metadata) write(base string, p Plan, list []Found) (changed bool, err error) {
	if m.fresh && same(m.found, list) {
		return false, nil
	}
	st := tools.Statement{Counter: max(m.counter+1, uint64(max(p.Now.Unix(), 0))), Expires: p.Now.Add(p.Life).UTC().Truncate(time.Second)}
	products, entry := simplestreams.Make(p.Stream, list, p.Now)
	old := m.index.Index[simplestreams.ContentID(p.Stream)]
	entry.CloudName, entry.Clouds, entry.Counter = old.CloudName, old.Clouds, st.Counter
	m.index.Updated, m.index.Index[simplestreams.ContentID(p.Stream)] = products.Updated, entry
	text, err := simplestreams.Encode(products)
	if err != nil {
		return false, err
	}
	st.Path, st.Stream = entry.Path, p.Stream
	if err := writeSigned(base, p.Signer, st, text); err != nil {
		return false, err
	}
	if text, err = simplestreams.Encode(m.index); err != nil {
		return false, err
	}
	st.Path, st.Stream = simplestreams.IndexPath, ""
	return true, writeSigned(base, p.Signer, st, text)
}

func writeSigned(base string, signer tools.Signer, st tools.Statement, content []byte) error {
	sig, err := signer.Sign(st, content)
	if err != nil {
		return err
	}
	path := filepath.Join(base, filepath.FromSlash(st.Path))
	return errors.Join(writeFile(path, 0o644, bytes.NewReader(content)), writeFile(simplestreams.SignaturePath(path), 0o644, bytes.NewReader(sig)))
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
	return writeFile(to, 0o644, io.TeeReader(in, h), func() error {
		if got := hex.EncodeToString(h.Sum(nil)); got != a.SHA256 {
			return fmt.Errorf("it changed while it was read: expected sha256 %s, found %s", a.SHA256, got)
		}
		return nil
	})
}

// writeFile writes a file whole and on disk, or not at all; checks come before it is seen.
func writeFile(path string, mode fs.FileMode, r io.Reader, checks ...func() error) error {
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
		err = errors.Join(tmp.Chmod(mode), tmp.Sync())
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
