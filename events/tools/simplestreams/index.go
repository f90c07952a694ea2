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

// Where the index lies below the tools directory. The legacy one lists the released
// stream only; Juju before 1.21 wrote no other.
const (
	IndexPath       = "streams/v1/index2.json"
	LegacyIndexPath = "streams/v1/index.json"
	TrustPath       = "streams/v1/trust.json" // the bundle of signed metadata that covers all of it
)

const (
	indexFormat    = "index:1.0"
	productsFormat = "products:1.0"
	dataType       = "content-download"
)

// ErrMetadata is wrapped by every refusal of an index or a products file.
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

// NewIndex is an index of nothing.
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

// Stream is the entry of a stream: where its products file lies.
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

// streams are the names of what is listed, or "nothing".
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

// ProductsPath is where a stream's products file is written below the tools directory.
func ProductsPath(stream string) string {
	return "streams/v1/com.ubuntu.juju-" + stream + "-tools.json"
}

var streamRE = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// CheckStream refuses a name that no stream has, such as one that leaves the tree.
func CheckStream(stream string) error {
	if !streamRE.MatchString(stream) {
		return fmt.Errorf("stream %q is not a lower-case word, such as released, proposed, devel or testing", stream)
	}
	return nil
}

// Encode gives the text of an Index or Products: the same value, the same bytes.
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
