package bus

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// maxSecretBytes is more than any file of keys, tokens or credentials holds.
const maxSecretBytes = 1 << 20

// ReadSecret reads a file that holds a secret. A link, a file of another user, and one that
// others can read or write are refused: who could read it once can use it for ever, and who
// could put it there decides what is used.
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

// private says why an open file is not this user's alone.
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

// writeSecret replaces path atomically and durably. What lies there, a link too, is
// replaced and not written through.
func writeSecret(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write secret %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
