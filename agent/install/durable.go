package install

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/jujube-project/jujube/host"
)

// writeFile replaces a file on a machine's disk, atomically and durably. Only one process
// writes below a machine's directories: the one that holds the lock. So the temporary file has
// the same name each time, and the next write replaces what a power cut left there.
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

// removeAll removes a file, or a directory with everything in it. In a version's directory it
// removes the marker first, so that a version which was removed in part is never taken for a
// complete one. A path that does not exist is no error.
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

// mkdirs makes a directory, and the missing ones above it, durably. A directory that is there
// already is no error.
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
