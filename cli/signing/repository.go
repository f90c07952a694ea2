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

// Repository is the directory of one repository of signed metadata, the site's of an
// environment or the vendor's: the keys that this client holds, the anchor that it pinned,
// what it has accepted, and the draft that is half signed.
type Repository string

// SiteRepository is that of an environment.
func SiteRepository(store app.Store, environment string) Repository {
	return Repository(store.TrustDir(environment))
}

// vendorRepository is that with which this client signs trees of tools.
func vendorRepository(store app.Store) Repository { return Repository(store.Path("vendor")) }

// Keys are the private keys of this repository that this client holds.
func (r Repository) Keys() Keys { return Keys(filepath.Join(string(r), "keys")) }

// DraftFile holds the change that not enough people have signed yet.
func (r Repository) DraftFile() string { return filepath.Join(string(r), "draft.json") }

func (r Repository) anchorFile() string   { return filepath.Join(string(r), "anchor") }
func (r Repository) acceptedFile() string { return filepath.Join(string(r), "trusted.json") }

// Pin notes the root that everything must follow from.
func (r Repository) Pin(a tuf.Anchor) error {
	return r.write(r.anchorFile(), []byte(a.SHA256+"\n"))
}

// Anchor is what was pinned; fs.ErrNotExist: nothing was.
func (r Repository) Anchor() (tuf.Anchor, error) {
	b, err := os.ReadFile(r.anchorFile())
	return tuf.Anchor{SHA256: strings.TrimSpace(string(b))}, err
}

func (r Repository) write(name string, b []byte) error {
	if err := os.MkdirAll(string(r), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return host.WriteFile(name, b)
}

// accepted is what was accepted so far; the zero Trusted: nothing was yet.
func (r Repository) accepted() (tuf.Trusted, error) {
	b, err := os.ReadFile(r.acceptedFile())
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

// accept takes a bundle in if it follows on what was accepted before, or, the first time, on
// the anchor. The bundle is judged at the zero time when what has expired shall be read all
// the same.
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

// ReadBundle reads a file; an empty bundle: the file is not there.
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
