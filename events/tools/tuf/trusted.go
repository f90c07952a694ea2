package tuf

import (
	"encoding/json"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Trusted is what a reader has accepted: the last documents of each role, exactly. The zero
// Trusted trusts nothing; Begin makes one. It is a value: Update gives another one.
type Trusted struct {
	kept   kept
	root   shape
	stamp  shape // zero until the first Update
	snap   shape
	target shape
	says   says
}

// kept is what Marshal writes.
type kept struct {
	Anchor    Anchor            `json:"anchor"`
	Root      []byte            `json:"root"`
	Timestamp []byte            `json:"timestamp,omitempty"`
	Snapshot  []byte            `json:"snapshot,omitempty"`
	Targets   []byte            `json:"targets,omitempty"`
	Files     map[string][]byte `json:"files,omitempty"`
	Seen      time.Time         `json:"seen,omitzero"` // the latest signed time
}

// Begin trusts a root document that somebody knows by its digest. It returns an *events.Reason
// with events.CodeTUFAnchor when it is another one.
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

// Open begins at the pinned root in a bundle and takes the bundle.
func Open(a Anchor, b Bundle, now time.Time) (Trusted, error) {
	t, err := Begin(a, b.Root(a))
	if err != nil {
		return Trusted{}, err
	}
	return t.Update(b, now)
}

// Marshal writes what is trusted, for ParseTrusted.
func (t Trusted) Marshal() []byte {
	out, _ := json.Marshal(t.kept) // bytes, strings and a time only
	return append(out, '\n')
}

// ParseTrusted reads what Marshal wrote and verifies all signatures again: bytes that a
// disk changed are refused, as an *events.Reason. Expiry is not looked at. The anchor is what the
// bytes say; compare Trusted.Anchor with the one that is pinned.
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

// Anchor is what everything began with.
func (t Trusted) Anchor() Anchor { return t.kept.Anchor }

// IsZero says that nothing is trusted.
func (t Trusted) IsZero() bool { return len(t.kept.Root) == 0 }

// Now is the time to judge by: that of the clock, or the latest time that somebody signed,
// whichever is later. A clock that was set back brings no old metadata back.
func (t Trusted) Now(clock time.Time) time.Time {
	if t.kept.Seen.After(clock) {
		return t.kept.Seen
	}
	return clock
}

// Seen is the latest time that somebody signed: zero when none was.
func (t Trusted) Seen() time.Time { return t.kept.Seen }

// Witness raises the time floor by a time from another verified signature, such as an
// order's. It never lowers it.
func (t Trusted) Witness(signed time.Time) Trusted {
	if signed.After(t.kept.Seen) {
		t.kept.Seen = signed.UTC()
	}
	return t
}

// Expires tells until when the timestamp holds, and until when the first of all four does.
// Both are zero before the first Update.
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

// Holds tells until when what people sign holds: the root and the targets.
func (t Trusted) Holds() time.Time {
	if root := t.root.Signed.Expires; root.Before(t.target.Signed.Expires) {
		return root
	}
	return t.target.Signed.Expires
}

// Made is when the timestamp was signed; zero: it does not say.
func (t Trusted) Made() time.Time { return t.stamp.Signed.Made }

// Versions are those of the four roles; zero: none was accepted yet.
func (t Trusted) Versions() events.TrustVersions {
	return events.TrustVersions{
		Root: t.root.Signed.Version, Targets: t.target.Signed.Version,
		Snapshot: t.snap.Signed.Version, Timestamp: t.stamp.Signed.Version,
	}
}

// With is the publication that is trusted, under another timestamp.
func (t Trusted) With(timestamp []byte) Bundle {
	return Bundle{Timestamp: timestamp, Snapshot: t.kept.Snapshot, Targets: t.kept.Targets, Files: t.kept.Files}
}

// TimestampBytes is the document of that role as it was accepted.
func (t Trusted) TimestampBytes() []byte { return t.kept.Timestamp }

// Roster is who may ask for what. The zero Roster: the metadata names nobody.
func (t Trusted) Roster() events.Roster { return t.says.roster }

// Floor is the oldest version that may be installed; zero: any.
func (t Trusted) Floor() version.Number { return t.says.floor }

// Revoked is what was taken back.
func (t Trusted) Revoked() events.Revoked { return t.says.revoked }

// Files are the contents of targets that came along, by name. The caller does not change
// them.
func (t Trusted) Files() map[string][]byte { return t.kept.Files }
