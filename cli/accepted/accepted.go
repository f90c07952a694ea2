// Package accepted keeps the signed metadata that this client has accepted of a repository: an
// environment's, or its own for trees of tools.
//
// The root that was pinned comes first, and nobody replaces it. Each bundle that a state server
// shows must follow on what was accepted before. What the newest one says, for example who is an
// operator and whose key signs the log, is believed, whoever hands it over.
package accepted

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

// Metadata is the directory in which that is kept of one repository.
type Metadata string

// Of is the directory of an environment.
func Of(store app.Store, environment string) Metadata {
	return Metadata(store.TrustDir(environment))
}

func (d Metadata) anchorFile() string { return filepath.Join(string(d), "anchor") }
func (d Metadata) newestFile() string { return filepath.Join(string(d), "trusted.json") }

// Pin notes the first root. Everything that is accepted later must follow from it.
func (d Metadata) Pin(a tuf.Anchor) error {
	return d.Write(d.anchorFile(), []byte(a.SHA256+"\n"))
}

// Anchor gives the root that was pinned. The error is fs.ErrNotExist if none was.
func (d Metadata) Anchor() (tuf.Anchor, error) {
	b, err := host.ReadPinned(d.anchorFile())
	return tuf.Anchor{SHA256: strings.TrimSpace(string(b))}, err
}

// Pinned is the sha256 of the root that was pinned; empty: none was. Whoever folds the environment's log
// believes no other one.
func (d Metadata) Pinned() (string, error) {
	anchor, err := d.Anchor()
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return anchor.SHA256, err
}

// Write writes a file of the directory, durably.
func (d Metadata) Write(name string, b []byte) error {
	if err := host.MakeDirectory(string(d)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return host.WriteFile(name, b)
}

// Newest gives the newest metadata that was accepted. It is zero if none was yet, or if it follows
// from another root than the one that is pinned.
func (d Metadata) Newest() (tuf.Trusted, error) {
	anchor, err := d.Anchor()
	if err != nil {
		return tuf.Trusted{}, err
	}
	b, err := host.ReadPinned(d.newestFile())
	if errors.Is(err, fs.ErrNotExist) {
		return tuf.Trusted{}, nil
	}
	if err != nil {
		return tuf.Trusted{}, err
	}
	t, err := tuf.ParseTrusted(b)
	if err != nil {
		return t, fmt.Errorf("read %s: %w", d.newestFile(), err)
	}
	if t.Anchor() != anchor {
		return tuf.Trusted{}, nil
	}
	return t, nil
}

// Accept believes a bundle if it follows on what was accepted before, and keeps it. The first time
// the bundle must follow on the anchor. now is the time at which expiry is judged; the zero time
// lets a bundle pass that has expired.
func (d Metadata) Accept(b tuf.Bundle, now time.Time) (tuf.Trusted, error) {
	t, err := d.Newest()
	if err != nil {
		return t, err
	}
	if t.IsZero() {
		anchor, err := d.Anchor()
		if err != nil {
			return t, err
		}
		t, err = tuf.Open(anchor, b, now)
		if err != nil {
			return t, err
		}
	} else if t, err = t.Update(b, now); err != nil {
		return t, err
	}
	return t, d.Write(d.newestFile(), t.Marshal())
}
