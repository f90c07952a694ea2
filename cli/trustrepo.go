package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

// repository is this client's place for one repository of signed metadata, an environment's
// or its own of trees: keys that it holds, what it has accepted, and what is half signed.
type repository string

// siteRepository is that of an environment.
func (a *juju) siteRepository(name string) repository {
	return repository(a.Store().Path("trust", name))
}

// vendorRepository is that with which this client signs trees of tools.
func (a *juju) vendorRepository() repository { return repository(a.Store().Path("vendor")) }

func (r repository) keys() trustKeys     { return trustKeys(filepath.Join(string(r), "keys")) }
func (r repository) anchorFile() string  { return filepath.Join(string(r), "anchor") }
func (r repository) trustedFile() string { return filepath.Join(string(r), "trusted.json") }
func (r repository) draftFile() string   { return filepath.Join(string(r), "draft.json") }

// pin notes the root that everything follows from.
func (r repository) pin(a tuf.Anchor) error {
	return r.write(r.anchorFile(), []byte(a.SHA256+"\n"))
}

func (r repository) write(name string, b []byte) error {
	if err := os.MkdirAll(string(r), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return host.WriteFile(name, b)
}

// anchor is what was pinned; fs.ErrNotExist: nothing was.
func (r repository) anchor() (tuf.Anchor, error) {
	b, err := os.ReadFile(r.anchorFile())
	return tuf.Anchor{SHA256: strings.TrimSpace(string(b))}, err
}

// trusted is what was accepted so far; the zero Trusted: nothing was yet.
func (r repository) trusted() (tuf.Trusted, error) {
	b, err := os.ReadFile(r.trustedFile())
	if errors.Is(err, fs.ErrNotExist) {
		return tuf.Trusted{}, nil
	}
	if err != nil {
		return tuf.Trusted{}, err
	}
	t, err := tuf.ParseTrusted(b)
	if err != nil {
		return t, fmt.Errorf("read %s: %w", r.trustedFile(), err)
	}
	return t, nil
}

// accept takes a bundle in, if it follows on what was accepted before and on what is pinned.
// It is judged at the zero time when what has expired shall still be read.
func (r repository) accept(b tuf.Bundle, now time.Time) (tuf.Trusted, error) {
	anchor, err := r.anchor()
	if err != nil {
		return tuf.Trusted{}, err
	}
	t, err := r.trusted()
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
	return t, r.write(r.trustedFile(), t.Marshal())
}

// readBundle reads a file; an empty bundle: it is not there.
func readBundle(name string) (tuf.Bundle, error) {
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
