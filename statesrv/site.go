package statesrv

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

// Site is what a state server needs to publish the environment's signed metadata (TUF): which root
// is pinned, and the state server's own two keys, of the roles snapshot and timestamp. Those keys
// vouch for how fresh the metadata is and for nothing else. With them nobody can add an archive or
// an operator: that takes the keys of the roles root and targets, which operators hold.
type Site struct {
	Anchor tuf.Anchor
	Keys   []crypto.Signer // two: of the snapshot, and of the timestamp
	First  tuf.Bundle      // the metadata that opens the log; its snapshot and timestamp are signed when it is published
}

// siteFile is site.json in the state server's directory. It holds secrets.
type siteFile struct {
	Anchor    string `json:"anchor"` // sha256 of the pinned root
	Snapshot  []byte `json:"snapshot_seed"`
	Timestamp []byte `json:"timestamp_seed"`
}

// NewSite makes the state server's own two keys. The metadata is added with Begin.
func NewSite() (*Site, error) {
	s := &Site{}
	for range 2 {
		_, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return nil, fmt.Errorf("make the keys of snapshot and timestamp: %w", err)
		}
		s.Keys = append(s.Keys, private)
	}
	return s, nil
}

// Online are the public halves of the state server's keys, which the root must list.
func (s *Site) Online() tuf.Online {
	return tuf.Online{Snapshot: s.Keys[0].Public().(ed25519.PublicKey), Timestamp: s.Keys[1].Public().(ed25519.PublicKey)}
}

// Begin takes the metadata that opens the log, and pins its root. first must have a root.
func (s *Site) Begin(first tuf.Bundle) {
	s.First, s.Anchor = first, tuf.AnchorOf(first.Roots[0])
}

// Save writes the keys, the pinned root and the first metadata below a data directory.
func (s *Site) Save(dataDir string) error {
	f := siteFile{Anchor: s.Anchor.SHA256}
	for i, seed := range []*[]byte{&f.Snapshot, &f.Timestamp} {
		*seed = s.Keys[i].(ed25519.PrivateKey).Seed()
	}
	return errors.Join(host.WriteFile(siteBundleFile(dataDir), s.First.Marshal()), f.save(dataDir))
}

// LoadSite reads what Save wrote during bootstrap. The file of the first metadata may be missing: a
// state server that joined later did not open the log.
func LoadSite(dataDir string) (*Site, error) {
	f, err := loadSiteFile(dataDir)
	if err != nil {
		return nil, err
	}
	s := &Site{Anchor: tuf.Anchor{SHA256: f.Anchor}}
	for _, seed := range [][]byte{f.Snapshot, f.Timestamp} {
		if len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("read %s: a seed has %d bytes, must have %d", siteKeysFile(dataDir), len(seed), ed25519.SeedSize)
		}
		s.Keys = append(s.Keys, ed25519.NewKeyFromSeed(seed))
	}
	b, err := host.ReadPinned(siteBundleFile(dataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		s.First, err = tuf.ParseBundle(b)
	}
	if err != nil {
		return nil, fmt.Errorf("read the site's first metadata: %w", err)
	}
	return s, nil
}

// firstRoot is the root that newly enrolled machines are given; nil: this state server did not open
// the log.
func (s *Site) firstRoot() []byte {
	if len(s.First.Roots) == 0 {
		return nil
	}
	return s.First.Roots[0]
}

func loadSiteFile(dataDir string) (siteFile, error) {
	var f siteFile
	b, err := host.ReadSecret(siteKeysFile(dataDir))
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		return f, fmt.Errorf("read the site's keys: %w; juju bootstrap makes them", err)
	}
	return f, nil
}

func (f siteFile) save(dataDir string) error {
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return host.WriteFile(siteKeysFile(dataDir), append(b, '\n'))
}
