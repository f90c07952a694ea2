package simplestreams

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Products lists the tools of one stream.
type Products struct {
	Format    string             `json:"format"` // "products:1.0"
	ContentID string             `json:"content_id"`
	Updated   string             `json:"updated"`
	Products  map[string]Product `json:"products"` // by "com.ubuntu.juju:SERIES-VERSION:ARCH"
	inherited
}

// Product is the tools for one series and architecture.
type Product struct {
	Version  string                `json:"version"`  // of the series, "14.04"
	Versions map[string]VersionSet `json:"versions"` // by day, "20150915"
	inherited
}

// VersionSet is what was published on one day.
type VersionSet struct {
	Items map[string]Item `json:"items"` // by binary version
	inherited
}

// inherited are the fields that a level takes from the level above it if it does not have them itself.
type inherited struct {
	Release  string `json:"release,omitempty"` // series
	Arch     string `json:"arch,omitempty"`
	FileType string `json:"ftype,omitempty"`
}

func (i inherited) or(outer inherited) inherited {
	return inherited{cmp.Or(i.Release, outer.Release), cmp.Or(i.Arch, outer.Arch), cmp.Or(i.FileType, outer.FileType)}
}

// Item is one archive.
type Item struct {
	inherited
	Version string `json:"version"`
	Size    int64  `json:"size"` // bytes
	Path    string `json:"path"` // below the tools directory
	SHA256  string `json:"sha256"`
	tools.Marks
}

// Found is one archive with its path below the tools directory. Two Founds can be compared by ==.
type Found struct {
	tools.Tools
	Path string
	tools.Marks
}

// ParseProducts reads the products file of a stream. The archives come sorted by version, then by
// platform. An archive that is listed on several days counts once, as the newest day lists it.
//
// All faults are named at once: an entry that is malformed, that has no size or digest, or that leaves
// the tree; and two different archives of one binary version. The entries without a fault are in list.
// Each fault wraps ErrMetadata.
func ParseProducts(b []byte, stream string) (list []Found, faults []error) {
	var p Products
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, []error{fmt.Errorf("%w: products: %w", ErrMetadata, err)}
	}
	if p.Format != productsFormat || p.ContentID != ContentID(stream) {
		return nil, []error{fmt.Errorf("%w: products: %q with format %q is not %s with %s", ErrMetadata, p.ContentID, p.Format, ContentID(stream), productsFormat)}
	}
	c := collection{found: map[version.Binary]Found{}}
	for _, id := range slices.Sorted(maps.Keys(p.Products)) {
		c.product(p.Products[id], p.inherited)
	}
	list = slices.SortedFunc(maps.Values(c.found), func(a, b Found) int {
		return cmp.Or(a.Version.Compare(b.Version.Number), strings.Compare(a.Version.Platform(), b.Version.Platform()))
	})
	return list, c.faults
}

// collection gathers the archives of all products.
type collection struct {
	found  map[version.Binary]Found
	faults []error
}

func (c *collection) product(p Product, outer inherited) {
	for _, day := range slices.Backward(slices.Sorted(maps.Keys(p.Versions))) {
		set := p.Versions[day]
		for _, name := range slices.Sorted(maps.Keys(set.Items)) {
			item := set.Items[name]
			item.inherited = item.or(set.or(p.or(outer)))
			if err := c.add(item); err != nil {
				c.faults = append(c.faults, fmt.Errorf("%w: products: %s: %w", ErrMetadata, name, err))
			}
		}
	}
}

func (c *collection) add(item Item) error {
	f, err := item.found()
	if err != nil {
		return err
	}
	old, twice := c.found[f.Version]
	if twice && (old.SHA256 != f.SHA256 || old.Size != f.Size) {
		return fmt.Errorf("%s is listed as sha256 %s (%d bytes) and as %s (%d bytes)", f.Version, old.SHA256, old.Size, f.SHA256, f.Size)
	}
	if !twice {
		c.found[f.Version] = f
	}
	return nil
}

func (i Item) found() (Found, error) {
	if i.FileType != "" && i.FileType != "tar.gz" {
		return Found{}, fmt.Errorf("its type is %q, not tar.gz", i.FileType)
	}
	v, err := version.ParseBinary(i.Version + "-" + i.Release + "-" + i.Arch)
	if err != nil {
		return Found{}, err
	}
	f := Found{Tools: tools.Tools{Version: v, Size: i.Size, SHA256: i.SHA256}, Path: i.Path, Marks: i.Marks}
	return f, errors.Join(f.Validate(), localPath(i.Path))
}

// Make gives the products file of one stream and the index entry that points to it.
func Make(stream string, list []Found, now time.Time) (Products, IndexEntry) {
	day := now.UTC().Format("20060102")
	p := Products{Format: productsFormat, ContentID: ContentID(stream), Updated: timestamp(now), Products: map[string]Product{}}
	for _, f := range list {
		v := f.Version
		id := "com.ubuntu.juju:" + seriesVersion(v.Series) + ":" + v.Arch
		product, ok := p.Products[id]
		if !ok {
			product = Product{
				Version: seriesVersion(v.Series), Versions: map[string]VersionSet{day: {Items: map[string]Item{}}},
				inherited: inherited{Arch: v.Arch},
			}
			p.Products[id] = product
		}
		product.Versions[day].Items[v.String()] = Item{
			inherited: inherited{Release: v.Series, Arch: v.Arch, FileType: "tar.gz"},
			Version:   v.Number.String(), Size: f.Size, Path: f.Path, SHA256: f.SHA256, Marks: f.Marks,
		}
	}
	return p, IndexEntry{
		Updated: p.Updated, Format: productsFormat, Datatype: dataType,
		Path: ProductsPath(stream), Products: slices.Sorted(maps.Keys(p.Products)),
	}
}

// Marks are what the publisher of a list says of each version in it. A mark on one archive of a number
// holds for all archives of that number.
func Marks(list []Found) map[version.Number]tools.Marks {
	marks := map[version.Number]tools.Marks{}
	for _, f := range list {
		marks[f.Version.Number] = marks[f.Version.Number].Or(f.Marks)
	}
	return marks
}

// Candidates gives the archives of a list as candidates for version.Choose, which joins those of one
// number.
func Candidates(list []Found) []version.Candidate {
	cs := make([]version.Candidate, 0, len(list))
	for _, f := range list {
		cs = append(cs, version.Candidate{
			Number: f.Version.Number, Platforms: []string{f.Version.Platform()},
			Revoked: f.Revoked, Floor: f.Floor, DeadEnd: f.DeadEnd,
		})
	}
	return cs
}
