package tuf

import (
	"encoding/json"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Trusted is what a reader has accepted: the last document of each role, byte for byte. Begin makes
// one; the zero Trusted trusts nothing. A Trusted is a value: Update returns another one and leaves
// the old one as it is.
type Trusted struct {
	kept   kept
	root   shape
	stamp  shape // zero until the first Update
	snap   shape
	target shape
	said   Said
}

// kept is what Marshal writes.
type kept struct {
	Anchor    Anchor            `json:"anchor"`
	Root      []byte            `json:"root"`
	Timestamp []byte            `json:"timestamp,omitempty"`
	Snapshot  []byte            `json:"snapshot,omitempty"`
	Targets   []byte            `json:"targets,omitempty"`
	Files     map[string][]byte `json:"files,omitempty"`
	Seen      time.Time         `json:"seen,omitzero"` // the latest time that somebody signed; see Now
}

// Begin trusts a root document whose digest the reader knows beforehand. It returns an *events.Reason:
// with events.CodeTUFAnchor if the root has another digest, or with the code of what is wrong in it.
func Begin(a Anchor, root []byte) (Trusted, error) {
	switch {
	case a.SHA256 == "":
		return Trusted{}, events.Refuse(events.CodeTUFAnchor, "no root is pinned")
	case AnchorOf(root) != a:
		return Trusted{}, events.Refuse(events.CodeTUFAnchor, "the root has the digest %.12s…, pinned is %.12s…", digest(root), a.SHA256)
	}
	s, err := acceptFirst(root)
	if err != nil {
		return Trusted{}, err
	}
	return Trusted{kept: kept{Anchor: a, Root: root}, root: s}, nil
}

// Open begins at the pinned root of a bundle and accepts the whole bundle.
func Open(a Anchor, b Bundle, now time.Time) (Trusted, error) {
	t, err := Begin(a, b.Root(a))
	if err != nil {
		return Trusted{}, err
	}
	return t.Update(b, now)
}

// Marshal writes what is trusted, for ParseTrusted.
func (t Trusted) Marshal() []byte {
	out, _ := json.Marshal(t.kept) // it cannot fail: kept holds bytes, strings and a valid time only
	return append(out, '\n')
}

// ParseTrusted reads what Marshal wrote. It verifies all signatures again, so that bytes which a disk
// has changed are refused with an *events.Reason. It does not look at expiry. The anchor is the one
// that the bytes name: the caller compares Trusted.Anchor with the one that is pinned.
func ParseTrusted(b []byte) (Trusted, error) {
	if len(b) > MaxBundle {
		return Trusted{}, events.Refuse(events.CodeTUFFormat, "what was trusted has %d bytes, limit %d", len(b), MaxBundle)
	}
	var k kept
	if err := json.Unmarshal(b, &k); err != nil {
		return Trusted{}, events.Refuse(events.CodeTUFFormat, "what was trusted: %v", err)
	}
	s, err := acceptFirst(k.Root)
	if err != nil {
		return Trusted{}, err
	}
	t := Trusted{kept: kept{Anchor: k.Anchor, Root: k.Root, Seen: k.Seen}, root: s}
	if len(k.Timestamp) == 0 {
		return t, nil
	}
	return t.take(Bundle{Timestamp: k.Timestamp, Snapshot: k.Snapshot, Targets: k.Targets, Files: k.Files}, time.Time{})
}

// Anchor is the root that everything began with.
func (t Trusted) Anchor() Anchor { return t.kept.Anchor }

// IsZero says whether nothing is trusted.
func (t Trusted) IsZero() bool { return len(t.kept.Root) == 0 }

// Now is the time by which metadata is judged: the time of the clock or the latest time that somebody
// signed, whichever is later. A clock that is set back therefore does not make old metadata valid again.
func (t Trusted) Now(clock time.Time) time.Time {
	if t.kept.Seen.After(clock) {
		return t.kept.Seen
	}
	return clock
}

// Seen is the latest time that somebody signed. It is zero if nobody signed any.
func (t Trusted) Seen() time.Time { return t.kept.Seen }

// Witness raises Seen to a time from another verified signature, such as that of an order. It never
// lowers Seen.
func (t Trusted) Witness(signed time.Time) Trusted {
	if signed.After(t.kept.Seen) {
		t.kept.Seen = signed.UTC()
	}
	return t
}

// Expires tells until when the timestamp holds, and until when all four documents hold. Both times are
// zero before the first Update.
func (t Trusted) Expires() (timestamp, whole time.Time) {
	if len(t.kept.Timestamp) == 0 {
		return time.Time{}, time.Time{}
	}
	timestamp, whole = t.stamp.Signed.Expires, t.stamp.Signed.Expires
	for _, s := range []shape{t.root, t.snap, t.target} {
		if s.Signed.Expires.Before(whole) {
			whole = s.Signed.Expires
		}
	}
	return timestamp, whole
}

// Holds tells until when the root and the targets hold: the documents that people sign.
func (t Trusted) Holds() time.Time {
	if root := t.root.Signed.Expires; root.Before(t.target.Signed.Expires) {
		return root
	}
	return t.target.Signed.Expires
}

// Made is when the timestamp was signed. It is zero if the timestamp does not say so.
func (t Trusted) Made() time.Time { return t.stamp.Signed.Made }

// Versions are the versions of the four documents. A version is zero if none was accepted yet.
func (t Trusted) Versions() events.TrustVersions {
	return events.TrustVersions{
		Root: t.root.Signed.Version, Targets: t.target.Signed.Version,
		Snapshot: t.snap.Signed.Version, Timestamp: t.stamp.Signed.Version,
	}
}

// With gives the publication that is trusted, with another timestamp and without roots: for a reader
// who was told that nothing but the timestamp is new.
func (t Trusted) With(timestamp []byte) Bundle {
	return Bundle{Timestamp: timestamp, Snapshot: t.kept.Snapshot, Targets: t.kept.Targets, Files: t.kept.Files}
}

// TimestampBytes is the timestamp as it was accepted, byte for byte.
func (t Trusted) TimestampBytes() []byte { return t.kept.Timestamp }

// Roster says who may ask for what. It is the zero Roster if the metadata has none.
func (t Trusted) Roster() events.Roster { return t.said.Roster }

// Floor is the oldest version that may be installed. It is zero if every version may be.
func (t Trusted) Floor() version.Number { return t.said.Floor }

// Revoked lists what was taken back.
func (t Trusted) Revoked() events.Revoked { return t.said.Revoked }

// Publishers says whose trees of tools are taken in. It is nil if nobody has signed that: the
// environment began before publishers were signed.
func (t Trusted) Publishers() *events.Publishers { return t.said.Publishers }

// Files are the contents of the targets that the bundle brought, by name. The caller must not change
// them.
func (t Trusted) Files() map[string][]byte { return t.kept.Files }
