package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// WriteFile replaces the file at path, durably, and only its owner can read it. Whoever
// reads it, and whatever happens to the power, finds the old content or the new content,
// never a mix. A symbolic link at path is replaced and not followed.
//
// Several processes may write the same file: each write is whole, and the last one stays.
// What a write leaves behind when the power fails, the next one removes, unless two wrote
// into the same directory at that moment.
func WriteFile(path string, data []byte) error {
	return WriteStream(path, 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
}

// WriteStream is [WriteFile] for content that fill writes, and with a mode (the umask does
// not change it). An error of fill leaves the old file as it was.
func WriteStream(path string, mode fs.FileMode, fill func(io.Writer) error) error {
	tmp := path + ".new"
	unlock, err := tryLockDir(filepath.Dir(path))
	if err != nil {
		tmp = fmt.Sprintf("%s-%08x", tmp, rand.Uint32())
	} else {
		defer unlock()
	}
	return Replace(OS{}, path, tmp, mode, func(w io.Writer) error {
		if err := w.(hostFile).Chmod(mode); err != nil {
			return err
		}
		return fill(w)
	})
}

// tryLockDir makes this process the only one that uses the plain temporary names in a
// directory. The lock is on the directory itself, so it leaves no file, and the kernel gives
// it back when the process ends. It never waits: whoever can read a directory can hold its
// lock for ever. Without the lock, a writer takes a temporary name of its own.
func tryLockDir(path string) (unlock func(), err error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := flock(d, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return func() { _ = d.Close() }, nil
}

// Replace is how every durable write is done, on any [Disk]: make tmp, fill it, sync it,
// rename it to path, sync the directory. tmp lies in the directory of path. Nobody else may
// use that name meanwhile; what an earlier, interrupted write left under it is removed.
//
// A tmp that could not be synced is removed and never synced again: after a failed fsync
// the kernel may have dropped the pages, and a second fsync would say that all is well.
// Source: fsync(2) and the PostgreSQL wiki on "fsync errors".
func Replace(d Disk, path, tmp string, mode fs.FileMode, fill func(io.Writer) error) error {
	if err := d.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := d.Create(tmp, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = d.Rename(tmp, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, d.Remove(tmp)))
	}
	return SyncDir(d, filepath.Dir(path))
}

// SyncDir makes the names in a directory durable, those of files that were removed too.
func SyncDir(d Disk, dir string) error {
	if err := d.SyncDir(dir); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
