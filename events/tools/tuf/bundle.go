package tuf

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

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

// Bundle is one publication: the roots so far, oldest first, the three documents of today,
// and the content of those targets that are read where the metadata is read. All are the
// exact bytes that were signed over or whose digest is known. The zero Bundle is empty.
type Bundle struct {
	Roots     [][]byte          `json:"roots"`
	Timestamp []byte            `json:"timestamp"`
	Snapshot  []byte            `json:"snapshot"`
	Targets   []byte            `json:"targets"`
	Files     map[string][]byte `json:"files,omitempty"` // by the name of the target
}

// ParseBundle reads what Marshal wrote. It believes nothing in it. It returns an *events.Reason
// with events.CodeTUFFormat.
func ParseBundle(b []byte) (Bundle, error) {
	if len(b) > MaxBundle {
		return Bundle{}, events.Refuse(events.CodeTUFFormat, "the bundle has %d bytes, limit %d", len(b), MaxBundle)
	}
	var bundle Bundle
	if err := json.Unmarshal(b, &bundle); err != nil { // without a reader around it, which would hold the bytes again
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
	for name, content := range b.Files {
		if err := checkSize(name, content, MaxFile); err != nil {
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

// Marshal writes the bundle: the same bundle, the same bytes.
func (b Bundle) Marshal() []byte {
	out, _ := json.Marshal(b) // bytes and strings only
	return append(out, '\n')
}

// Root finds the root document with that digest; nil: it is not in the bundle.
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
