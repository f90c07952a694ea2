package signing

import (
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/streams"
)

// Vendor is this client's own repository, with which it signs trees of tools. It is made
// when it is first needed, with one key for each role.
func Vendor(store app.Store) (streams.Signer, error) {
	r := vendorRepository(store)
	s, err := loadVendor(r)
	if errors.Is(err, fs.ErrNotExist) {
		s, err = makeVendor(r)
	}
	if err != nil {
		return s, fmt.Errorf("get the keys that sign trees of tools: %w", err)
	}
	return s, nil
}

// rootFile holds the vendor's signed root. Every tree that the vendor signs has a copy of it.
func (r Repository) rootFile() string { return filepath.Join(string(r), "base.json") }

func makeVendor(r Repository) (streams.Signer, error) {
	var keys []ed25519.PrivateKey
	for _, role := range []string{tuf.Root, tuf.Targets, tuf.Snapshot, tuf.Timestamp} {
		k, err := r.Keys().Make(role)
		if err != nil {
			return streams.Signer{}, err
		}
		keys = append(keys, k.Private)
	}
	s, err := streams.NewSigner(keys[0], keys[1], keys[2], keys[3], time.Now())
	if err != nil {
		return s, err
	}
	return s, r.write(r.rootFile(), s.Base.Marshal())
}

// loadVendor reads the vendor's root and keys. The error is fs.ErrNotExist if none was made yet.
// The root's own key is left out: a tree is signed with the other three.
func loadVendor(r Repository) (streams.Signer, error) {
	var s streams.Signer
	b, err := host.ReadPinned(r.rootFile())
	if err == nil {
		s.Base, err = tuf.ParseBundle(b)
	}
	if err != nil {
		return s, err
	}
	keys, err := r.Keys().All()
	for _, k := range keys {
		if k.Role != tuf.Root {
			s.Keys = append(s.Keys, crypto.Signer(k.Private))
		}
	}
	return s, err
}

// OwnPublishers are those that this client believes without an environment: itself, if it has signed
// anything. It makes no repository, so that a command that only looks changes nothing.
func OwnPublishers(store app.Store) (events.Publishers, error) {
	p := events.Publishers{Sources: []string{settings.PublicSource}}
	s, err := loadVendor(vendorRepository(store))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return p, nil
	case err != nil:
		return p, err
	}
	p.Signers = []string{s.Anchor()}
	return p, nil
}

// Trusting is a trust in these publishers, and in the sources that may be unsigned. The store remembers
// which signing of a source was seen, so that the source cannot show an older one later.
func Trusting(store app.Store, p events.Publishers) streams.Trust {
	return streams.Trust{
		Anchors: p.Signers, Now: time.Now, Unsigned: p.Unsigned,
		Seen: &streams.SeenFile{Path: store.Path("sources-seen.json")},
	}
}

// NextForSource is what to type after a source of tools was refused.
func NextForSource(err error, source string) string {
	switch {
	case errors.Is(err, tools.ErrUnsigned):
		return "name another source, have this one signed (juju metadata generate-tools), or say that it may be unsigned: --allow-unsigned " + source
	case errors.Is(err, tools.ErrSigner):
		return "if that signer is to be believed: juju trust publishers --add-signer ANCHOR; with --local-dir, name it with --signer"
	case errors.Is(err, tools.ErrExpired):
		return "have it signed anew: juju metadata generate-tools"
	}
	return "name another source: --source DIR|URL"
}
