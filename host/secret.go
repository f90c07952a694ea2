package host

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// maxSecretBytes is more than any file of keys, tokens or credentials holds.
const maxSecretBytes = 1 << 20

// ReadSecret reads a file that holds a secret, of at most 1 MiB. It refuses a symbolic link,
// a file of another user (root excepted), and a file that others can read or write: whoever
// read a secret once can use it for ever, and whoever can write one chooses which is used.
//
// The checks are made on the open file, so nobody can exchange it between check and read.
func ReadSecret(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("read secret %s: it is a symbolic link; it was not followed; name the file itself, or put it there", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := private(f); err != nil {
		return nil, fmt.Errorf("read secret %s: %w", path, err)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err == nil && len(b) > maxSecretBytes {
		err = fmt.Errorf("it has more than %d bytes", maxSecretBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", path, err)
	}
	return b, nil
}

// private returns an error that says why an open file is not this user's alone.
func private(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("it is no file (mode %v); it was not used", info.Mode())
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return fmt.Errorf("others can read it (mode %v); after `chmod 600 %s` it is used again", perm, f.Name())
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("it is user %d's, not yours; it was not used; its owner must be you or root", st.Uid)
	}
	return nil
}
