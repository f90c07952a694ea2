package install

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/jujube-project/jujube/events/tools/archive"
)

// markerName is the file of a version directory that is written last.
const markerName = ".complete"

// Marker says that a version directory is complete, and what is in its files. It is written
// when all other files are durable, so a directory without a marker is not complete.
type Marker struct {
	Archive string            `json:"archive_sha256,omitempty"` // of the tools archive; empty: a copy of the installed program
	Files   map[string]string `json:"files"`                    // name → sha256
}

// ErrIncomplete: a version directory lacks its marker or a file, or a file is not what
// the marker says. It must not be run.
var ErrIncomplete = errors.New("version is not complete")

// Verify reads every file of a version and compares its digest with the one in the marker. It
// returns ErrIncomplete if anything is missing or different.
func (l Layout) Verify(name string) (Marker, error) {
	dir := l.Version(name)
	var m Marker
	b, err := readFile(l.disk(), filepath.Join(dir, markerName))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%w: %s: %w", ErrIncomplete, dir, err)
	}
	if m.Files[archive.Jujud] == "" {
		return m, fmt.Errorf("%w: %s: its marker names no jujud", ErrIncomplete, dir)
	}
	for name, want := range m.Files {
		got, err := l.hashFile(filepath.Join(dir, filepath.Base(name)))
		if err != nil {
			return m, fmt.Errorf("%w: %s: %w", ErrIncomplete, dir, err)
		}
		if got != want {
			return m, fmt.Errorf("%w: %s: %s has sha256 %s, want %s", ErrIncomplete, dir, name, got, want)
		}
	}
	return m, nil
}

func (l Layout) hashFile(path string) (string, error) {
	f, err := l.disk().Open(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Close())
}

// mark writes the marker of a directory. All other files there must be durable already.
func (l Layout) mark(dir string, m Marker) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return writeFile(l.disk(), filepath.Join(dir, markerName), append(b, '\n'))
}
