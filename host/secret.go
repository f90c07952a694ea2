package host

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxSecretBytes is more than any file of keys, tokens or credentials holds.
const maxSecretBytes = 1 << 20

// ReadSecret reads a file that holds a secret, of at most 1 MiB. It refuses a symbolic link,
// a file of another user (root excepted), and a file that others can read or write: whoever
// read a secret once can use it for ever, and whoever can write one chooses which is used.
//
// The checks are made on the open file, so nobody can exchange it between check and read.
func ReadSecret(path string) ([]byte, error) {
	f, err := open(unix.AT_FDCWD, path, path)
	var b []byte
	if err == nil {
		b, err = readOwn(f, maxSecretBytes, 0o077, "others can read it")
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", path, err)
	}
	return b, nil
}

// ReadPinned reads a file whose content is believed and need not be secret: pinned
// certificates and keys, configuration, what was agreed before. It refuses a symbolic link, a
// file of another user (root excepted), a file that others can write, and one that lies where
// others could put another one (see [OpenDirectory]): whoever chooses what is believed needs
// no key.
func ReadPinned(path string) ([]byte, error) {
	dir, err := OpenDirectory(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	defer func() { _ = dir.Close() }()
	f, err := open(int(dir.file.Fd()), filepath.Base(path), path)
	var b []byte
	if err == nil {
		b, err = readOwn(f, math.MaxInt64, 0o022, "others can write it")
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return b, nil
}

// open opens a file to read it, and does not follow a link. O_NONBLOCK: a FIFO without a
// writer does not hold this up.
func open(dir int, name, path string) (*os.File, error) {
	fd, err := unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ELOOP) {
		return nil, errors.New("it is a symbolic link; it was not followed; name the file itself, or put it there")
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), path), nil
}

// readOwn reads and closes an open file that is this user's or root's, has none of the
// permissions in forbidden (why says what they allow), and has at most limit bytes.
func readOwn(f *os.File, limit int64, forbidden fs.FileMode, why string) ([]byte, error) {
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("it is no file (mode %v); it was not used", info.Mode())
	}
	if perm := info.Mode().Perm(); perm&forbidden != 0 {
		return nil, notOurs("%s (mode %v); after `chmod 600 %s` it is used again", why, perm, f.Name())
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return nil, notOurs("it is user %d's, not yours; it was not used; its owner must be you or root", st.Uid)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("it has more than %d bytes", limit)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}
