package streams

import (
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// Signer signs trees: a publisher's roots, and his keys of targets, snapshot and timestamp.
type Signer struct {
	Base tuf.Bundle // his roots, and targets of nothing
	Keys []crypto.Signer
}

// PublisherLife is how long the root of a publisher holds.
const PublisherLife = 10 * 365 * 24 * time.Hour

// NewSigner begins a publisher's repository, with one key for each role.
func NewSigner(root, targets, snapshot, timestamp ed25519.PrivateKey, now time.Time) (Signer, error) {
	one := func(k ed25519.PrivateKey) tuf.Keys {
		return tuf.Keys{Public: []ed25519.PublicKey{k.Public().(ed25519.PublicKey)}, Threshold: 1}
	}
	repo, err := tuf.NewRepository(tuf.Roles{
		Root: one(root), Targets: one(targets), Snapshot: one(snapshot), Timestamp: one(timestamp),
	}, now.Add(PublisherLife), now.Add(PublisherLife))
	if err == nil {
		_, err = repo.Sign(tuf.Root, root)
	}
	if err != nil {
		return Signer{}, fmt.Errorf("make a publisher's root: %w", err)
	}
	return Signer{Base: repo.Bundle(), Keys: []crypto.Signer{targets, snapshot, timestamp}}, nil
}

// Anchor is what a reader pins to believe his trees.
func (s Signer) Anchor() string { return firstOf(s.Base) }

// own is the metadata of a tree as it is now, if this publisher signed it. What has expired is
// read, too.
func (s Signer) own(d directory, now time.Time) (tuf.Bundle, tuf.Trusted, bool) {
	b, err := d.small(simplestreams.TrustPath, tuf.MaxBundle)
	if err != nil {
		return tuf.Bundle{}, tuf.Trusted{}, false
	}
	bundle, err := tuf.ParseBundle(b)
	if err != nil {
		return bundle, tuf.Trusted{}, false
	}
	t, err := tuf.Open(tuf.Anchor{SHA256: s.Anchor()}, bundle, now)
	return bundle, t, err == nil
}

// fresh says whether what is signed covers the stream as it lies there, and holds for half of
// its life.
func (s Signer) fresh(d directory, p Plan) bool {
	_, t, ok := s.own(d, p.Now)
	if !ok {
		return false
	}
	_, holds := t.Expires()
	_, faults := Trust{Anchors: []string{s.Anchor()}, Now: func() time.Time { return p.Now }}.read(p.Stream, d.small)
	return len(faults) == 0 && holds.Sub(p.Now) >= p.Life/2
}

// sign makes the next bundle of a tree. Targets of other streams are taken over from the bundle
// before; those of this stream are replaced.
func (s Signer) sign(d directory, p Plan, before, list []Found, files map[string][]byte) (tuf.Bundle, error) {
	base := s.Base
	old, _, ok := s.own(d, time.Time{})
	if ok && !p.Clean {
		base.Targets = old.Targets
	}
	repo, err := tuf.OpenRepository(base)
	if err != nil {
		return base, err
	}
	if ok {
		repo.After(old)
	}
	repo.CountFrom(p.Now.Unix())
	expires := p.Now.Add(p.Life)
	if err := repo.RemoveTargets(expires, names(before)...); err != nil {
		return base, err
	}
	targets := map[string]tuf.Target{}
	for path, b := range files {
		targets[path] = targetOf(b)
	}
	for _, f := range list {
		t := tuf.Target{Length: f.Size, SHA256: f.SHA256}
		if f.Marks != (tools.Marks{}) {
			if t.Custom, err = json.Marshal(f.Marks); err != nil {
				return base, err
			}
		}
		targets[f.FileName()] = t
	}
	if err = repo.SetTargets(expires, targets); err == nil {
		_, err = repo.Sign(tuf.Targets, s.Keys...)
	}
	if err == nil {
		err = repo.Freshen(p.Now, tuf.Lives{Snapshot: p.Life, Timestamp: p.Life}, s.Keys...)
	}
	if err != nil {
		return base, fmt.Errorf("sign the metadata: %w", err)
	}
	return repo.Bundle(), nil
}

// names are the file names under which archives are targets, each once.
func names(list []Found) []string {
	all := make([]string, 0, len(list))
	for _, f := range list {
		all = append(all, f.FileName())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// targetOf is the target that a file of metadata is.
func targetOf(b []byte) tuf.Target {
	sum := sha256.Sum256(b)
	return tuf.Target{Length: int64(len(b)), SHA256: hex.EncodeToString(sum[:])}
}
