package install

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// markerName is the last file of a version directory.
const markerName = ".complete"

// Marker says that a version directory is complete. It is written last.
type Marker struct {
	Archive string            `json:"archive_sha256,omitempty"` // of the tools; empty for the copy that was installed first
	Files   map[string]string `json:"files"`                    // name → sha256
}

// ErrIncomplete: a version directory lacks its marker or a file, or a file is not what
// the marker says. It must not be run.
var ErrIncomplete = errors.New("version is not complete")

// Verify reads every file of a version directory against its marker.
func Verify(dir string) (Marker, error) {
	var m Marker
	b, err := os.ReadFile(filepath.Join(dir, markerName))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		return m, fmt.Errorf("%w: %s: %w", ErrIncomplete, dir, err)
	}
	if m.Files["jujud"] == "" {
		return m, fmt.Errorf("%w: %s: its marker names no jujud", ErrIncomplete, dir)
	}
	for name, want := range m.Files {
		got, err := hashFile(filepath.Join(dir, filepath.Base(name)))
		if err != nil || got != want {
			return m, fmt.Errorf("%w: %s: %s has sha256 %s, want %s (%v)", ErrIncomplete, dir, name, got, want, err)
		}
	}
	return m, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// mark completes a directory whose files are durable already.
func mark(dir string, m Marker) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(dir, markerName), append(b, '\n'))
}
