package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// repository is this client's place for one repository of signed metadata, an environment's
// or its own of trees: keys that it holds, what it has accepted, and what is half signed.
type repository string

// siteRepository is that of an environment.
func (a *App) siteRepository(name string) repository {
	return repository(filepath.Join(a.data(), "trust", name))
}

func (r repository) keys() trustKeys    { return trustKeys(filepath.Join(string(r), "keys")) }
func (r repository) anchorFile() string { return filepath.Join(string(r), "anchor") }

// pin notes the root that everything follows from.
func (r repository) pin(a tuf.Anchor) error {
	return r.write(r.anchorFile(), []byte(a.SHA256+"\n"))
}

func (r repository) write(name string, b []byte) error {
	if err := os.MkdirAll(string(r), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return install.WriteFile(name, b)
}

// anchor is what was pinned; fs.ErrNotExist: nothing was.
func (r repository) anchor() (tuf.Anchor, error) {
	b, err := os.ReadFile(r.anchorFile())
	return tuf.Anchor{SHA256: strings.TrimSpace(string(b))}, err
}
