package install

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/host"
)

// Program opens the jujud of a complete version, and hashes what it opened. Whoever executes
// the open file executes the bytes that were verified, even if somebody has put another file
// under the name meanwhile. It returns ErrIncomplete as Verify does.
func (l Layout) Program(name string) (host.File, error) {
	m, err := l.Verify(name)
	if err != nil {
		return nil, err
	}
	f, err := l.disk().Open(filepath.Join(l.Version(name), archive.Jujud))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrIncomplete, l.Version(name), err)
	}
	h := sha256.New()
	if _, err = io.Copy(h, f); err == nil && hex.EncodeToString(h.Sum(nil)) != m.Files[archive.Jujud] {
		err = errors.New("jujud changed while it was verified")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrIncomplete, l.Version(name), errors.Join(err, f.Close()))
	}
	return f, nil
}

// Installed opens the program that the machine was installed with. It has no marker, so
// nothing is verified.
func (l Layout) Installed(exe string) (host.File, error) { return l.disk().Open(exe) }
