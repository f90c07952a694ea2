// Package simplestreams reads and writes the metadata that lists tools, in the layout
// that Juju 1.25 publishes and reads: an index of streams, and one products file for
// each stream. It works on bytes; streams (in package statesrv) fetches and stores them.
//
//	tools/streams/v1/index2.json
//	tools/streams/v1/com.ubuntu.juju-released-tools.json
//	tools/released/juju-1.25.1-trusty-amd64.tgz
package simplestreams

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// IndexPath is where the index lies below the tools directory.
const IndexPath = "streams/v1/index2.json"

// Index lists the products file of each stream.
type Index struct {
	Format  string                `json:"format"` // "index:1.0"
	Updated string                `json:"updated"`
	Index   map[string]IndexEntry `json:"index"` // by content id
}

// IndexEntry points to one products file.
type IndexEntry struct {
	Updated  string   `json:"updated"`
	Format   string   `json:"format"`   // "products:1.0"
	Datatype string   `json:"datatype"` // "content-download"
	Path     string   `json:"path"`     // below the tools directory
	Products []string `json:"products"`
}

// Products lists the tools of one stream.
type Products struct {
	Format    string             `json:"format"` // "products:1.0"
	ContentID string             `json:"content_id"`
	Updated   string             `json:"updated"`
	Products  map[string]Product `json:"products"` // by "com.ubuntu.juju:SERIES-VERSION:ARCH"
}

// Product is the tools for one series and architecture.
type Product struct {
	Arch     string                `json:"arch"`
	Version  string                `json:"version"`  // of the series, "14.04"
	Versions map[string]VersionSet `json:"versions"` // by day, "20150915"
}

// VersionSet is what was published on one day.
type VersionSet struct {
	Items map[string]Item `json:"items"` // by binary version
}

// Item is one archive. What it does not say is inherited from its product.
type Item struct {
	Release  string `json:"release"` // series
	Version  string `json:"version"`
	Arch     string `json:"arch"`
	Size     int64  `json:"size"`
	Path     string `json:"path"` // below the tools directory
	FileType string `json:"ftype"`
	SHA256   string `json:"sha256"`
}

// ContentID names a stream in the index.
func ContentID(stream string) string { return "com.ubuntu.juju:" + stream + ":tools" }

// ProductsPath is where a stream's products file lies below the tools directory.
func ProductsPath(stream string) string {
	return "streams/v1/com.ubuntu.juju-" + stream + "-tools.json"
}

// seriesVersions are the series that have a number in product ids. Others are named by
// themselves.
var seriesVersions = map[string]string{
	"precise": "12.04", "trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04",
	"bullseye": "11", "bookworm": "12", "trixie": "13",
}

func seriesVersion(series string) string {
	if v, ok := seriesVersions[series]; ok {
		return v
	}
	return series
}

// ErrMetadata is wrapped by every refusal of an index or a products file.
var ErrMetadata = errors.New("bad simplestreams metadata")

// ParseIndex reads an index and finds the products file of one stream.
func ParseIndex(b []byte, stream string) (productsPath string, err error) {
	var ix Index
	if err := json.Unmarshal(b, &ix); err != nil {
		return "", fmt.Errorf("%w: index: %w", ErrMetadata, err)
	}
	if ix.Format != "index:1.0" {
		return "", fmt.Errorf("%w: index: format %q is not index:1.0", ErrMetadata, ix.Format)
	}
	e, ok := ix.Index[ContentID(stream)]
	if !ok {
		return "", fmt.Errorf("%w: index: it has no stream %q, but %s", ErrMetadata, stream, strings.Join(slices.Sorted(maps.Keys(ix.Index)), ", "))
	}
	return e.Path, localPath(e.Path)
}

// Found is one archive with its place below the tools directory.
type Found struct {
	tools.Tools
	Path string
}

// ParseProducts reads a products file. Entries are sorted; the same archive in several
// sets counts once, the newest set first. Two different archives under one binary
// version, an entry without size or digest, or a path that leaves the tree are refused.
func ParseProducts(b []byte) ([]Found, error) {
	var p Products
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("%w: products: %w", ErrMetadata, err)
	}
	if p.Format != "products:1.0" {
		return nil, fmt.Errorf("%w: products: format %q is not products:1.0", ErrMetadata, p.Format)
	}
	found := map[string]Found{}
	for _, id := range slices.Sorted(maps.Keys(p.Products)) {
		product := p.Products[id]
		for _, day := range slices.Backward(slices.Sorted(maps.Keys(product.Versions))) {
			for name, item := range product.Versions[day].Items {
				f, err := item.found(product)
				if err != nil {
					return nil, fmt.Errorf("%w: products: %s: %w", ErrMetadata, name, err)
				}
				old, twice := found[f.Version.String()]
				if twice && (old.SHA256 != f.SHA256 || old.Size != f.Size) {
					return nil, fmt.Errorf("%w: products: %s is listed as %s (%d bytes) and as %s (%d bytes)",
						ErrMetadata, f.Version, old.SHA256, old.Size, f.SHA256, f.Size)
				}
				if !twice {
					found[f.Version.String()] = f
				}
			}
		}
	}
	list := slices.Collect(maps.Values(found))
	slices.SortFunc(list, func(a, b Found) int {
		if c := a.Version.Number.Compare(b.Version.Number); c != 0 {
			return c
		}
		return strings.Compare(a.Version.Platform(), b.Version.Platform())
	})
	return list, nil
}

func (i Item) found(p Product) (Found, error) {
	if i.Arch == "" {
		i.Arch = p.Arch
	}
	v, err := version.ParseBinary(i.Version + "-" + i.Release + "-" + i.Arch)
	if err != nil {
		return Found{}, err
	}
	f := Found{Tools: tools.Tools{Version: v, Size: i.Size, SHA256: i.SHA256}, Path: i.Path}
	return f, errors.Join(f.Validate(), localPath(i.Path))
}

// localPath refuses a path that is not below the tools directory.
func localPath(p string) error {
	if p == "" || path.IsAbs(p) || path.Clean(p) != p || strings.HasPrefix(p, "../") || p == ".." || strings.ContainsAny(p, "\\\x00") {
		return fmt.Errorf("%w: path %q is not below the tools directory", ErrMetadata, p)
	}
	return nil
}

// Make gives the products file of one stream and the index entry that points to it.
func Make(stream string, list []Found, now time.Time) (Products, IndexEntry) {
	updated := now.UTC().Format(time.RFC1123Z)
	p := Products{Format: "products:1.0", ContentID: ContentID(stream), Updated: updated, Products: map[string]Product{}}
	for _, f := range list {
		v := f.Version
		id := "com.ubuntu.juju:" + seriesVersion(v.Series) + ":" + v.Arch
		product, ok := p.Products[id]
		if !ok {
			product = Product{Arch: v.Arch, Version: seriesVersion(v.Series), Versions: map[string]VersionSet{}}
			product.Versions[now.UTC().Format("20060102")] = VersionSet{Items: map[string]Item{}}
			p.Products[id] = product
		}
		product.Versions[now.UTC().Format("20060102")].Items[v.String()] = Item{
			Release: v.Series, Version: v.Number.String(), Arch: v.Arch, Size: f.Size, Path: f.Path, FileType: "tar.gz", SHA256: f.SHA256,
		}
	}
	return p, IndexEntry{
		Updated: updated, Format: "products:1.0", Datatype: "content-download",
		Path: ProductsPath(stream), Products: slices.Sorted(maps.Keys(p.Products)),
	}
}
