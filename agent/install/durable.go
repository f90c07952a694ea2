package install

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/jujube-project/jujube/host"
)

// writeFile replaces a file on a machine's disk, durably. Only one process writes below a
// machine's directories, the one that holds its lock; so the temporary file can have a name
// of its own for each path, and the next write removes what a power cut left there.
func writeFile(d host.Disk, path string, data []byte) error {
	return host.Replace(d, path, path+".new", 0o600, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

func readFile(d host.Disk, path string) ([]byte, error) {
	f, err := d.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// removeAll removes a directory with what is in it, a version's marker first: what is
// half removed is not taken for complete. What does not exist is removed already.
func removeAll(d host.Disk, path string) error {
	kind, err := d.Kind(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	if kind.IsDir() {
		if err := d.Remove(filepath.Join(path, markerName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove %s: %w", path, err)
		}
		names, err := d.ReadDir(path)
		for _, name := range names {
			err = errors.Join(err, removeAll(d, filepath.Join(path, name)))
		}
		if err != nil {
			return err
		}
	}
	if err := d.Remove(path); err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}

// mkdirs makes a directory and those above it that are missing, durably.
func mkdirs(d host.Disk, path string) error {
	err := d.Mkdir(path)
	if errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
		if err = mkdirs(d, filepath.Dir(path)); err == nil {
			err = d.Mkdir(path)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		if kind, kindErr := d.Kind(path); kindErr == nil && kind.IsDir() {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	return host.SyncDir(d, filepath.Dir(path))
}
