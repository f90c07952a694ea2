package simplestreams

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Paths below the tools directory. The legacy index lists the released stream only; Juju before 1.21
// wrote no other index.
const (
	IndexPath       = "streams/v1/index2.json"
	LegacyIndexPath = "streams/v1/index.json"
	TrustPath       = "streams/v1/trust.json" // the bundle of signed metadata that covers the whole tree
)

const (
	indexFormat    = "index:1.0"
	productsFormat = "products:1.0"
	dataType       = "content-download"
)

// ErrMetadata is wrapped by every error about an index or a products file. The same bytes give it
// again: do not retry.
var ErrMetadata = errors.New("bad simplestreams metadata")

// Index lists the products file of each stream.
type Index struct {
	Format  string                `json:"format"`  // "index:1.0"
	Updated string                `json:"updated"` // RFC 1123 with numeric zone
	Index   map[string]IndexEntry `json:"index"`   // by content id
}

// IndexEntry points to one products file.
type IndexEntry struct {
	Updated   string          `json:"updated"`
	Format    string          `json:"format"`   // "products:1.0"
	Datatype  string          `json:"datatype"` // "content-download"
	Path      string          `json:"path"`     // below the tools directory
	Products  []string        `json:"products"`
	CloudName string          `json:"cloudname,omitempty"` // kept as found
	Clouds    json.RawMessage `json:"clouds,omitempty"`    // kept as found
}

// NewIndex gives an index that lists nothing.
func NewIndex() Index { return Index{Format: indexFormat, Index: map[string]IndexEntry{}} }

// ParseIndex reads an index. Errors wrap ErrMetadata.
func ParseIndex(b []byte) (Index, error) {
	ix := NewIndex()
	ix.Format = ""
	if err := json.Unmarshal(b, &ix); err != nil {
		return Index{}, fmt.Errorf("%w: index: %w", ErrMetadata, err)
	}
	if ix.Format != indexFormat {
		return Index{}, fmt.Errorf("%w: index: format %q is not %s", ErrMetadata, ix.Format, indexFormat)
	}
	if ix.Index == nil {
		ix.Index = map[string]IndexEntry{}
	}
	return ix, nil
}

// Stream gives the entry of a stream, which says where its products file is. It returns ErrMetadata if
// the index does not list the stream.
func (ix Index) Stream(stream string) (IndexEntry, error) {
	e, ok := ix.Index[ContentID(stream)]
	switch {
	case !ok:
		return e, fmt.Errorf("%w: index: it has no stream %q, but %s", ErrMetadata, stream, strings.Join(ix.streams(), ", "))
	case e.Format != productsFormat || e.Datatype != dataType:
		return e, fmt.Errorf("%w: index: stream %q is %q of %q, not %s of %s", ErrMetadata, stream, e.Format, e.Datatype, productsFormat, dataType)
	}
	return e, localPath(e.Path)
}

// streams are the names of the streams that are listed, or "nothing".
func (ix Index) streams() []string {
	ids := slices.Sorted(maps.Keys(ix.Index))
	for i, id := range ids {
		ids[i] = strings.TrimSuffix(strings.TrimPrefix(id, "com.ubuntu.juju:"), ":tools")
	}
	if len(ids) == 0 {
		return []string{"nothing"}
	}
	return ids
}

// ContentID names a stream in the index.
func ContentID(stream string) string { return "com.ubuntu.juju:" + stream + ":tools" }

// ProductsPath is the path below the tools directory to which the products file of a stream is written.
func ProductsPath(stream string) string {
	return "streams/v1/com.ubuntu.juju-" + stream + "-tools.json"
}

var streamRE = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// CheckStream refuses a name that no stream can have, such as one that would leave the tree as a path.
func CheckStream(stream string) error {
	if !streamRE.MatchString(stream) {
		return fmt.Errorf("stream %q is not a lower-case word, such as released, proposed, devel or testing", stream)
	}
	return nil
}

// Encode gives the text of an Index or Products. The same value always gives the same bytes.
func Encode[T Index | Products](v T) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "    ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// localPath refuses a path that is not below the tools directory.
func localPath(p string) error {
	if p == "" || p == "." || path.IsAbs(p) || path.Clean(p) != p || strings.HasPrefix(p, "../") || p == ".." || strings.ContainsAny(p, "\\\x00") {
		return fmt.Errorf("%w: path %q is not below the tools directory", ErrMetadata, p)
	}
	return nil
}

func timestamp(now time.Time) string { return now.UTC().Format(time.RFC1123Z) }
