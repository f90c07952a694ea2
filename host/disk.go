package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Disk is a file system as those see it who must survive a loss of power on it. [OS] is the
// real one; agent/install/crashfs is one that tests can cut off at every call.
//
// Errors are those of package os. The content of a file is durable after its Sync, and its
// name after the SyncDir of its directory; a name without content is possible in between.
type Disk interface {
	Open(path string) (File, error)                     // to read
	Append(path string) (File, error)                   // to read and write, made if it is missing; 0600
	Create(path string, mode fs.FileMode) (File, error) // to write; there must be nothing of that name
	ReadDir(path string) (names []string, err error)    // in any order
	Kind(path string) (fs.FileMode, error)              // type bits; a link is not followed
	Mkdir(path string) error                            // 0700
	Remove(path string) error                           // a file, a link or an empty directory
	Rename(from, to string) error                       // replaces a file or a link
	Symlink(target, path string) error                  //
	Readlink(path string) (target string, err error)    //
	SyncDir(path string) error                          // makes the names in it durable
	Free(path string) (bytes int64, err error)          // for a process without privileges
}

// File is an open file of a Disk.
type File interface {
	io.ReadWriteSeeker
	io.Closer
	Truncate(size int64) error
	Sync() error
	// Reserve allocates blocks up to a size and leaves the length as it is.
	// errors.ErrUnsupported: this file system cannot.
	Reserve(size int64) error
	// Fd and Name are for those who execute it.
	Fd() uintptr
	Name() string
}

// OS is the file system of this host.
type OS struct{}

var _ Disk = OS{}

type hostFile struct{ *os.File }

func (f hostFile) Reserve(size int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return err
}

func (OS) Open(path string) (File, error) { return wrap(os.Open(path)) }

func (OS) Append(path string) (File, error) {
	return openIn(path, os.O_CREATE|os.O_RDWR, 0o600)
}

func (OS) Create(path string, mode fs.FileMode) (File, error) {
	return openIn(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
}

// openIn opens a file to write it. A symbolic link under that name cannot lead out of the
// directory: os.Root refuses it.
func openIn(path string, flag int, mode fs.FileMode) (File, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	f, err := wrap(root.OpenFile(filepath.Base(path), flag, mode))
	return f, errors.Join(err, root.Close())
}

func wrap(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return hostFile{f}, nil
}

func (OS) ReadDir(path string) (names []string, err error) {
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

func (OS) Kind(path string) (fs.FileMode, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return 0, err
	}
	return info.Mode().Type(), nil
}

func (OS) Mkdir(path string) error              { return os.Mkdir(path, 0o700) }
func (OS) Remove(path string) error             { return os.Remove(path) }
func (OS) Rename(from, to string) error         { return os.Rename(from, to) }
func (OS) Symlink(target, path string) error    { return os.Symlink(target, path) }
func (OS) Readlink(path string) (string, error) { return os.Readlink(path) }

func (OS) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (OS) Free(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}
