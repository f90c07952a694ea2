package signing

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
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

func (r Repository) anchorFile() string   { return filepath.Join(string(r), "anchor") }
func (r Repository) acceptedFile() string { return filepath.Join(string(r), "trusted.json") }

// Pin notes the first root. Everything that is accepted later must follow from it.
func (r Repository) Pin(a tuf.Anchor) error {
	return r.write(r.anchorFile(), []byte(a.SHA256+"\n"))
}

// Anchor gives the root that was pinned. The error is fs.ErrNotExist if none was.
func (r Repository) Anchor() (tuf.Anchor, error) {
	b, err := host.ReadPinned(r.anchorFile())
	return tuf.Anchor{SHA256: strings.TrimSpace(string(b))}, err
}

func (r Repository) write(name string, b []byte) error {
	if err := host.MakeDirectory(string(r)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return host.WriteFile(name, b)
}

// accepted reads the newest metadata that was accepted. It is zero if none was yet.
func (r Repository) accepted() (tuf.Trusted, error) {
	b, err := host.ReadPinned(r.acceptedFile())
	if errors.Is(err, fs.ErrNotExist) {
		return tuf.Trusted{}, nil
	}
	if err != nil {
		return tuf.Trusted{}, err
	}
	t, err := tuf.ParseTrusted(b)
	if err != nil {
		return t, fmt.Errorf("read %s: %w", r.acceptedFile(), err)
	}
	return t, nil
}

// accept believes a bundle if it follows on what was accepted before, and keeps it. The first time
// the bundle must follow on the anchor. now is the time at which expiry is judged; the zero time
// lets a bundle pass that has expired.
func (r Repository) accept(b tuf.Bundle, now time.Time) (tuf.Trusted, error) {
	anchor, err := r.Anchor()
	if err != nil {
		return tuf.Trusted{}, err
	}
	t, err := r.accepted()
	if err != nil {
		return t, err
	}
	if t.IsZero() || t.Anchor() != anchor {
		t, err = tuf.Open(anchor, b, now)
	} else {
		t, err = t.Update(b, now)
	}
	if err != nil {
		return t, err
	}
	return t, r.write(r.acceptedFile(), t.Marshal())
}

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
