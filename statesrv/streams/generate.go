package streams

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
)

// Generated says what Generate did.
type Generated struct {
	Found   []Found
	Changed bool // false: the metadata said all of it already
}

// Generate builds or refreshes the metadata of one stream from the archives in
// DIR/tools/STREAM, named juju-BINARY.tgz. Every archive is read whole, and unpacked in
// thought; a bad one is refused and nothing is written. clean drops other streams' metadata.
func Generate(dir, stream string, clean bool, now time.Time) (Generated, error) {
	var g Generated
	base := filepath.Join(dir, "tools")
	names, err := filepath.Glob(filepath.Join(base, stream, "juju-*.tgz"))
	if err != nil {
		return g, err
	}
	if len(names) == 0 {
		return g, fmt.Errorf("generate metadata: there is no archive juju-NUMBER-SERIES-ARCH.tgz in %s; nothing was written", filepath.Join(base, stream))
	}
	var wrong []error
	for _, name := range names {
		f, err := Describe(name)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		g.Found = append(g.Found, Found{Tools: f, Path: stream + "/" + filepath.Base(name)})
	}
	if len(wrong) > 0 {
		return g, fmt.Errorf("generate metadata: nothing was written: %w", errors.Join(wrong...))
	}
	g.Changed, err = write(base, stream, g.Found, clean, now)
	return g, err
}

// Describe reads one archive: its version from its name, its size and its digest from
// its bytes, and checks that it unpacks.
func Describe(name string) (tools.Tools, error) {
	text, ok := strings.CutSuffix(strings.TrimPrefix(filepath.Base(name), "juju-"), ".tgz")
	v, err := version.ParseBinary(text)
	if !ok || err != nil {
		return tools.Tools{}, fmt.Errorf("%s: the name is not juju-NUMBER-SERIES-ARCH.tgz", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return tools.Tools{}, err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err != nil {
		return tools.Tools{}, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return tools.Tools{}, err
	}
	for e, err := range archive.Walk(f, archive.Limits{}) {
		if err == nil {
			_, err = io.Copy(io.Discard, e.Body)
		}
		if err != nil {
			return tools.Tools{}, fmt.Errorf("%s: %w", name, err)
		}
	}
	t := tools.Tools{Version: v, Size: size, SHA256: hex.EncodeToString(h.Sum(nil))}
	return t, t.Validate()
}

// write puts products and index in place, each whole or not at all, products first. It
// leaves both alone when only the time would change.
func write(base, stream string, list []Found, clean bool, now time.Time) (changed bool, err error) {
	old, err := readTree(base, stream)
	if err == nil && same(old, list) && !clean {
		return false, nil
	}
	products, entry := simplestreams.Make(stream, list, now)
	index := simplestreams.Index{Format: "index:1.0", Updated: products.Updated, Index: map[string]simplestreams.IndexEntry{}}
	if b, err := os.ReadFile(filepath.Join(base, simplestreams.IndexPath)); err == nil && !clean {
		if err := json.Unmarshal(b, &index); err != nil {
			return false, fmt.Errorf("read the old index: %w; with --clean it is made anew", err)
		}
	}
	index.Updated, index.Index[simplestreams.ContentID(stream)] = products.Updated, entry
	if err := writeJSON(filepath.Join(base, entry.Path), products); err != nil {
		return false, err
	}
	return true, writeJSON(filepath.Join(base, simplestreams.IndexPath), index)
}

func readTree(base, stream string) ([]Found, error) {
	return directory(base).List(context.Background(), stream)
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

func writeJSON(path string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "    ")
	if err := e.Encode(v); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, b.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

// Validate checks a stream of the tree in dir and names every fault at once.
func Validate(dir, stream string) []error {
	base, err := toolsDir(dir)
	if err != nil {
		return []error{err}
	}
	list, err := readTree(base, stream)
	if err != nil {
		return []error{err}
	}
	var faults []error
	for _, want := range list {
		name := filepath.Join(base, filepath.FromSlash(want.Path))
		got, err := Describe(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			faults = append(faults, fmt.Errorf("%s: missing", want.Path))
		case err != nil:
			faults = append(faults, fmt.Errorf("%s: %w", want.Path, err))
		case got.Size != want.Size:
			faults = append(faults, fmt.Errorf("%s: wrong size: listed %d bytes, found %d", want.Path, want.Size, got.Size))
		case got.SHA256 != want.SHA256:
			faults = append(faults, fmt.Errorf("%s: wrong hash: listed sha256 %s, found %s", want.Path, want.SHA256, got.SHA256))
		case got.Version != want.Version:
			faults = append(faults, fmt.Errorf("%s: listed as version %s", want.Path, want.Version))
		}
	}
	return faults
}
