package tuf

import (
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/strictjson"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Roles of TUF. Source: TUF 1.0, section 2.1.
const (
	Root      = metadata.ROOT
	Targets   = metadata.TARGETS
	Snapshot  = metadata.SNAPSHOT
	Timestamp = metadata.TIMESTAMP
)

var roles = []string{Root, Targets, Snapshot, Timestamp}

var limits = map[string]int{Root: MaxRoot, Targets: MaxTargets, Snapshot: MaxSnapshot, Timestamp: MaxTimestamp}

// shape is the part of a document that is checked before go-tuf sees it. It has the fields of all four
// roles; a comment names the role that a field belongs to.
type shape struct {
	Signed struct {
		Type    string              `json:"_type"`
		Spec    string              `json:"spec_version"`
		Version int64               `json:"version"`
		Expires time.Time           `json:"expires"`
		Made    time.Time           `json:"made"`    // timestamp, by our own repositories: when it was signed
		Keys    map[string]any      `json:"keys"`    // root
		Roles   map[string]roleOf   `json:"roles"`   // root
		Meta    map[string]metaOf   `json:"meta"`    // timestamp, snapshot
		Targets map[string]targetOf `json:"targets"` // targets
	} `json:"signed"`
	Signatures []struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	} `json:"signatures"`
}

type roleOf struct {
	KeyIDs    []string `json:"keyids"`
	Threshold int64    `json:"threshold"`
}

type metaOf struct {
	Length  int64             `json:"length"`
	Hashes  map[string]string `json:"hashes"`
	Version int64             `json:"version"`
}

type targetOf struct {
	Length int64             `json:"length"`
	Hashes map[string]string `json:"hashes"`
}

// What signed metadata is read by, before anything is decoded. go-tuf decodes a null as a nil pointer
// and follows that, so no document may have one; a file that is signed beside them may.
var (
	documents = strictjson.Rules{Depth: MaxDepth}
	files     = strictjson.Rules{Depth: MaxDepth, Null: true}
)

// inspect checks the form of one document of a role and reads what stands in it. It
// believes no signature. It returns an *events.Reason with events.CodeTUFFormat.
func inspect(role string, b []byte) (shape, error) {
	var s shape
	if len(b) > limits[role] {
		return s, events.Refuse(events.CodeTUFFormat, "the %s has %d bytes, limit %d", role, len(b), limits[role])
	}
	if err := documents.Check(b); err != nil {
		return s, events.Refuse(events.CodeTUFFormat, "the %s: %v", role, err)
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, events.Refuse(events.CodeTUFFormat, "the %s: %v", role, err)
	}
	switch {
	case s.Signed.Type != role:
		return s, events.Refuse(events.CodeTUFFormat, "the %s says that it is %.40q", role, s.Signed.Type)
	case !strings.HasPrefix(s.Signed.Spec, "1."):
		return s, events.Refuse(events.CodeTUFFormat, "the %s is of specification %.40q, not 1.x", role, s.Signed.Spec)
	case s.Signed.Version < 1:
		return s, events.Refuse(events.CodeTUFFormat, "the %s has version %d", role, s.Signed.Version)
	case s.Signed.Expires.IsZero():
		return s, events.Refuse(events.CodeTUFFormat, "the %s never expires", role)
	case s.Signed.Made.After(s.Signed.Expires):
		return s, events.Refuse(events.CodeTUFFormat, "the %s was made after it expires", role)
	}
	return s, s.check(role)
}

func (s shape) check(role string) error {
	if err := s.checkSignatures(role); err != nil {
		return err
	}
	switch role {
	case Root:
		return s.checkRoot()
	case Timestamp:
		return s.checkMeta(role, Snapshot)
	case Snapshot:
		return s.checkMeta(role, Targets)
	}
	return s.checkTargets()
}

func (s shape) checkSignatures(role string) error {
	if len(s.Signatures) > MaxSignatures {
		return events.Refuse(events.CodeTUFFormat, "the %s has %d signatures, limit %d", role, len(s.Signatures), MaxSignatures)
	}
	seen := map[string]bool{}
	for _, sig := range s.Signatures {
		if seen[sig.KeyID] {
			return events.Refuse(events.CodeTUFFormat, "the %s is signed twice under the key id %.64q", role, sig.KeyID)
		}
		seen[sig.KeyID] = true
	}
	return nil
}

func (s shape) checkRoot() error {
	for _, role := range roles {
		r, ok := s.Signed.Roles[role]
		if !ok || r.Threshold < 1 || r.Threshold > MaxSignatures {
			return events.Refuse(events.CodeTUFFormat, "the root asks for %d signatures of %s; it must be 1 to %d", r.Threshold, role, MaxSignatures)
		}
		for i, id := range r.KeyIDs {
			if _, ok := s.Signed.Keys[id]; !ok || slices.Contains(r.KeyIDs[:i], id) {
				return events.Refuse(events.CodeTUFFormat, "the root names the key %.64q for %s twice, or does not say what it is", id, role)
			}
		}
	}
	return nil
}

// checkMeta checks that a document names the next one, and that no name in it could be meant as a path
// to somewhere else.
func (s shape) checkMeta(role, next string) error {
	if _, ok := s.Signed.Meta[next+".json"]; !ok {
		return events.Refuse(events.CodeTUFFormat, "the %s does not name %s.json", role, next)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Signed.Meta)) {
		m := s.Signed.Meta[name]
		if !isName(name) || m.Version < 1 || m.Length < 0 || !areHashes(m.Hashes) {
			return events.Refuse(events.CodeTUFFormat, "the %s names %.80q with version %d, length %d", role, name, m.Version, m.Length)
		}
	}
	return nil
}

func (s shape) checkTargets() error {
	for _, name := range slices.Sorted(maps.Keys(s.Signed.Targets)) {
		t := s.Signed.Targets[name]
		if !isName(name) || t.Length < 0 || !areHashes(t.Hashes) || !tools.IsDigest(t.Hashes["sha256"]) {
			return events.Refuse(events.CodeTUFFormat, "the targets name %.80q with length %d", name, t.Length)
		}
	}
	return nil
}

// isName says whether a target or role may have this name: a clean relative path of printable ASCII. No
// name is ever used as a path. If one were, it would lead nowhere else.
func isName(name string) bool {
	plain := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }
	return len(name) <= MaxTargetName && fs.ValidPath(name) && name != "." && strings.IndexFunc(name, plain) < 0
}

func areHashes(hashes map[string]string) bool {
	for kind, h := range hashes {
		b, err := hex.DecodeString(h)
		if err != nil || kind == "sha256" && len(b) != 32 || kind == "sha512" && len(b) != 64 {
			return false
		}
	}
	return true
}
