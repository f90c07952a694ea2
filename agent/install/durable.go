package install

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// WriteFile replaces a file of this host: the old content or the new one, never a mix, and
// after it returns the new one, whatever happens to the power. Readable by the owner only.
func WriteFile(path string, data []byte) error { return writeFile(hostDisk{}, path, data) }

// writeFile writes a file beside path, makes it durable, and gives it the name. One that
// could not be made durable is never tried again: it goes, and the next begins anew.
func writeFile(d Disk, path string, data []byte) error {
	tmp := path + ".new"
	if err := d.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := d.Create(tmp, 0o600)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = d.Rename(tmp, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, d.Remove(tmp)))
	}
	return syncDir(d, filepath.Dir(path))
}

func readFile(d Disk, path string) ([]byte, error) {
	f, err := d.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

func syncDir(d Disk, dir string) error {
	if err := d.SyncDir(dir); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// removeAll removes a directory with what is in it, a version's marker first: what is
// half removed is not taken for complete. What does not exist is removed already.
func removeAll(d Disk, path string) error {
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
func mkdirs(d Disk, path string) error {
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
	return syncDir(d, filepath.Dir(path))
}
