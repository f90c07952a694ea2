package tuf

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/jujube-project/jujube/events"
)

// Limits, in bytes unless the name says otherwise. Source: SECURITY.md §8.
const (
	MaxRoot       = 512 << 10
	MaxTimestamp  = 16 << 10
	MaxSnapshot   = 2 << 20
	MaxTargets    = 5 << 20
	MaxFile       = 1 << 20 // one file that travels in a bundle
	MaxBundle     = events.MaxBundleBytes
	MaxFiles      = 16   // files in a bundle, a number
	MaxRoots      = 256  // new roots that one Update takes, a number
	MaxChain      = 4096 // roots in a bundle, a number
	MaxSignatures = 64   // on one document, a number
	MaxDepth      = 8    // of the JSON of a document, a number
	MaxTargetName = 256
)

// Bundle is one publication: all roots so far, oldest first; the newest timestamp, snapshot and
// targets; and the content of those targets that a reader of metadata needs. All of them are the exact
// bytes that were signed, or whose digest was. The zero Bundle is empty.
type Bundle struct {
	Roots     Chain             `json:"roots"`
	Timestamp []byte            `json:"timestamp"`
	Snapshot  []byte            `json:"snapshot"`
	Targets   []byte            `json:"targets"`
	Files     map[string][]byte `json:"files,omitempty"` // by the name of the target
}

// Chain are root documents, oldest first.
type Chain [][]byte

// UnmarshalJSON refuses a chain of too many roots before it makes the first of them: a list of empty
// roots takes ten times its bytes in memory.
func (c *Chain) UnmarshalJSON(b []byte) error {
	if n := bytes.Count(b, []byte{','}) + 1; n > MaxChain { // base64 has no comma
		return fmt.Errorf("it has %d roots, limit %d", n, MaxChain)
	}
	return json.Unmarshal(b, (*[][]byte)(c))
}

// ParseBundle reads what Marshal wrote, and believes nothing in it. For anything else it returns an
// *events.Reason with events.CodeTUFFormat.
func ParseBundle(b []byte) (Bundle, error) {
	if len(b) > MaxBundle {
		return Bundle{}, events.Refuse(events.CodeTUFFormat, "the bundle has %d bytes, limit %d", len(b), MaxBundle)
	}
	var bundle Bundle
	if err := json.Unmarshal(b, &bundle); err != nil { // not a Decoder: it would keep a second copy of 16 MiB
		return Bundle{}, events.Refuse(events.CodeTUFFormat, "the bundle: %v", err)
	}
	return bundle, bundle.checkSizes()
}

func (b Bundle) checkSizes() error {
	if len(b.Roots) > MaxChain || len(b.Files) > MaxFiles {
		return events.Refuse(events.CodeTUFFormat, "the bundle has %d roots and %d files, limits %d and %d", len(b.Roots), len(b.Files), MaxChain, MaxFiles)
	}
	for _, r := range b.Roots {
		if err := checkSize("a root", r, MaxRoot); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Files)) {
		if err := checkSize(name, b.Files[name], MaxFile); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		what  string
		b     []byte
		limit int
	}{{"the timestamp", b.Timestamp, MaxTimestamp}, {"the snapshot", b.Snapshot, MaxSnapshot}, {"the targets", b.Targets, MaxTargets}} {
		if err := checkSize(d.what, d.b, d.limit); err != nil {
			return err
		}
	}
	return nil
}

func checkSize(what string, b []byte, limit int) error {
	if len(b) > limit {
		return events.Refuse(events.CodeTUFFormat, "%.80q has %d bytes, limit %d", what, len(b), limit)
	}
	return nil
}

// Marshal writes the bundle. The same bundle always gives the same bytes.
func (b Bundle) Marshal() []byte {
	out, _ := json.Marshal(b) // it cannot fail: a Bundle holds bytes and strings only
	return append(out, '\n')
}

// Root finds the root document with that digest. It returns nil if the bundle does not have it.
func (b Bundle) Root(a Anchor) []byte {
	for _, r := range b.Roots {
		if AnchorOf(r) == a {
			return r
		}
	}
	return nil
}

// Anchor is a root document that somebody knows beforehand, by its digest.
type Anchor struct {
	SHA256 string // of its exact bytes, 64 lower-case hex digits
}

// AnchorOf gives the anchor that pins a root document.
func AnchorOf(root []byte) Anchor { return Anchor{SHA256: digest(root)} }

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
