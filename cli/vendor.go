package cli

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/streams"
)

// vendor is this client's own repository, with which it signs trees of tools. It is made when
// it is first needed, one key for each role. It is not the site's: whom trees are believed
// from and what machines run are said by different keys.
func (a *juju) vendor() (streams.Signer, error) {
	s, err := a.loadVendor()
	if errors.Is(err, fs.ErrNotExist) {
		s, err = a.makeVendor()
	}
	if err != nil {
		return s, fmt.Errorf("get the keys that sign trees of tools: %w", err)
	}
	return s, nil
}

func (a *juju) vendorFile() string { return filepath.Join(string(a.vendorRepository()), "base.json") }

func (a *juju) makeVendor() (streams.Signer, error) {
	var keys []ed25519.PrivateKey
	for _, role := range []string{tuf.Root, tuf.Targets, tuf.Snapshot, tuf.Timestamp} {
		k, err := a.vendorRepository().keys().make(role)
		if err != nil {
			return streams.Signer{}, err
		}
		keys = append(keys, k.Private)
	}
	s, err := streams.NewSigner(keys[0], keys[1], keys[2], keys[3], time.Now())
	if err != nil {
		return s, err
	}
	return s, a.vendorRepository().write(a.vendorFile(), s.Base.Marshal())
}

// loadVendor gives fs.ErrNotExist where there is none.
func (a *juju) loadVendor() (streams.Signer, error) {
	var s streams.Signer
	b, err := os.ReadFile(a.vendorFile())
	if err == nil {
		s.Base, err = tuf.ParseBundle(b)
	}
	if err != nil {
		return s, err
	}
	keys, err := a.vendorRepository().keys().all()
	for _, k := range keys {
		if k.Role != tuf.Root {
			s.Keys = append(s.Keys, crypto.Signer(k.Private))
		}
	}
	return s, err
}

// ownAnchors is this client's repository, if it has one: all that is believed without an
// environment. None is made, so that looking touches nothing.
func (a *juju) ownAnchors() ([]string, error) {
	s, err := a.loadVendor()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return []string{s.Anchor()}, nil
}

// trusting believes these publishers, and takes these sources unsigned. What sources have
// shown is remembered, so that they cannot go back.
func (a *juju) trusting(anchors, unsigned []string) streams.Trust {
	return streams.Trust{
		Anchors: anchors, Now: time.Now, Unsigned: unsigned,
		Seen: &streams.SeenFile{Path: a.Store().Path("sources-seen.json")},
	}
}
