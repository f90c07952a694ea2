package signing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/jujube-project/jujube/cli/accepted"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// Repository is the directory of one repository of signed metadata: an environment's (the site's)
// or this client's own (the vendor's). In it lie the keys that this client holds, the anchor that
// it has pinned, the newest metadata that it has accepted, and the draft, if there is one.
type Repository string

// SiteRepository is the repository of an environment.
func SiteRepository(store app.Store, environment string) Repository {
	return Repository(store.TrustDir(environment))
}

// vendorRepository is the repository with which this client signs trees of tools.
func vendorRepository(store app.Store) Repository { return Repository(store.Path("vendor")) }

// Keys are the private keys of this repository that this client holds.
func (r Repository) Keys() Keys { return Keys(filepath.Join(string(r), "keys")) }

// DraftFile holds the draft: a change that not enough people have signed yet.
func (r Repository) DraftFile() string { return filepath.Join(string(r), "draft.json") }

// accepted is the metadata of the repository that was accepted.
func (r Repository) accepted() accepted.Metadata { return accepted.Metadata(r) }

// Pin notes the first root. Everything that is accepted later must follow from it.
func (r Repository) Pin(a tuf.Anchor) error { return r.accepted().Pin(a) }

// Anchor gives the root that was pinned. The error is fs.ErrNotExist if none was.
func (r Repository) Anchor() (tuf.Anchor, error) { return r.accepted().Anchor() }

func (r Repository) write(name string, b []byte) error { return r.accepted().Write(name, b) }

// ReadBundle reads a bundle from a file. The bundle is empty if the file does not exist.
func ReadBundle(name string) (tuf.Bundle, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return tuf.Bundle{}, nil
	}
	if err != nil {
		return tuf.Bundle{}, err
	}
	bundle, err := tuf.ParseBundle(b)
	if err != nil {
		return bundle, fmt.Errorf("read %s: %w", name, err)
	}
	return bundle, nil
}
