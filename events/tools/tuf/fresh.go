package tuf

import (
	"crypto"
	"fmt"
	"math"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/jujube-project/jujube/events"
)

// Lives say how long the documents hold that a state server signs.
type Lives struct{ Snapshot, Timestamp time.Duration }

// DefaultLives are for an environment whose machines reach a state server. Behind an air gap 30 to 90
// days are usual. Source: SECURITY.md §3 and §6.3.
var DefaultLives = Lives{Snapshot: 7 * 24 * time.Hour, Timestamp: 24 * time.Hour}

// restart is a version that nobody reaches by counting. If a document has it, somebody signed it with a
// stolen key. Readers forget that version when a new root has replaced the key, so the repository counts
// from 1 again.
const restart = math.MaxInt64 / 2

// After takes over the snapshot and the timestamp of what is published, so that Freshen counts on from
// their versions. A publication that was prepared a while ago has older ones, or none.
func (r *Repository) After(published Bundle) {
	r.b.Snapshot, r.b.Timestamp = published.Snapshot, published.Timestamp
}

// Freshen makes and signs a new timestamp. It makes and signs a new snapshot too if the targets have
// changed, if half of the snapshot's life is over, or if the root has replaced the snapshot's keys. Among
// keys there must be enough for the thresholds of both roles.
func (r *Repository) Freshen(now time.Time, lives Lives, keys ...crypto.Signer) error {
	snapshot, err := r.freshSnapshot(now, lives, keys)
	if err != nil {
		return err
	}
	timestamp, err := r.freshTimestamp(now, lives, snapshot, keys)
	if err != nil {
		return err
	}
	r.b.Snapshot, r.b.Timestamp = snapshot, timestamp
	return nil
}

func (r *Repository) freshSnapshot(now time.Time, lives Lives, keys []crypto.Signer) ([]byte, error) {
	targets, err := inspect(Targets, r.b.Targets)
	if err != nil {
		return nil, err
	}
	doc := metadata.Snapshot(second(now.Add(lives.Snapshot)))
	doc.Signed.Meta[Targets+".json"] = metaFor(r.b.Targets, targets.Signed.Version)
	if len(r.b.Snapshot) > 0 {
		old, err := metadata.Snapshot().FromBytes(r.b.Snapshot)
		if err != nil {
			return nil, events.Refuse(events.CodeTUFFormat, "the snapshot: %v", err)
		}
		half := old.Signed.Expires.Add(-lives.Snapshot / 2)
		if m := old.Signed.Meta[Targets+".json"]; m != nil && m.VerifyLengthHashes(r.b.Targets) == nil && now.Before(half) && r.covers(Snapshot, old) {
			return r.b.Snapshot, nil
		}
		doc.Signed.Version = following(old.Signed.Version)
	}
	doc.Signed.Version = max(doc.Signed.Version, r.from)
	return signAs(r, Snapshot, doc, keys)
}

func (r *Repository) freshTimestamp(now time.Time, lives Lives, snapshot []byte, keys []crypto.Signer) ([]byte, error) {
	snap, err := inspect(Snapshot, snapshot)
	if err != nil {
		return nil, err
	}
	doc := metadata.Timestamp(second(now.Add(lives.Timestamp)))
	doc.Signed.UnrecognizedFields = map[string]any{"made": second(now)}
	doc.Signed.Meta[Snapshot+".json"] = metaFor(snapshot, snap.Signed.Version)
	if len(r.b.Timestamp) > 0 {
		old, err := inspect(Timestamp, r.b.Timestamp)
		if err != nil {
			return nil, err
		}
		doc.Signed.Version = following(old.Signed.Version)
	}
	doc.Signed.Version = max(doc.Signed.Version, r.from)
	return signAs(r, Timestamp, doc, keys)
}

// signAs signs a document with those of the keys that the newest root lists for the role. It returns an
// error if they are fewer than the threshold.
func signAs[T metadata.Roles](r *Repository, role string, doc *metadata.Metadata[T], keys []crypto.Signer) ([]byte, error) {
	listed := r.Roles().each()[role]
	for _, key := range keys {
		public, err := publicOfSigner(key)
		if err != nil {
			return nil, fmt.Errorf("sign the %s: %w", role, err)
		}
		if contains(listed.Public, public) {
			if err := signDoc(doc, key); err != nil {
				return nil, fmt.Errorf("sign the %s: %w", role, err)
			}
		}
	}
	if len(doc.Signatures) < listed.Threshold {
		return nil, fmt.Errorf("sign the %s: %d of the keys at hand may, %d must; the root lists %s", role, len(doc.Signatures), listed.Threshold,
			idsOf(listed.Public))
	}
	var b []byte
	err := store(&b, doc)
	return b, err
}

func (r *Repository) covers(role string, doc any) bool {
	return covers(r.b.Roots[len(r.b.Roots)-1], role, doc)
}

func metaFor(b []byte, version int64) *metadata.MetaFiles {
	t, _ := metadata.TargetFile().FromBytes("", b) // it cannot fail: sha256 is the default
	return &metadata.MetaFiles{Length: t.Length, Hashes: t.Hashes, Version: version}
}

// following is the version after this one; see restart.
func following(version int64) int64 {
	if version >= restart {
		return 1
	}
	return version + 1
}
