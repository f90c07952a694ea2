package install

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
)

// What goes wrong between an order and a staged version. Each has its own remedy.
var (
	ErrNoSpace  = errors.New("not enough free space")
	ErrSize     = errors.New("size is not what was ordered")
	ErrDigest   = errors.New("sha256 is not what was ordered")
	ErrConflict = errors.New("another build of that version is in use")
)

// reserveBytes stays free on the disk.
const reserveBytes = 32 << 20

// unpackFactor is how much larger than its archive a version is assumed to be before it
// was unpacked.
const unpackFactor = 4

// partFile is where the archive with that digest grows.
func (l Layout) partFile(digest string) string {
	return filepath.Join(l.Staging(), digest+".part")
}

// Partial opens the archive's file for appending, and says how much of it is there. The
// whole size is reserved on disk first, so that a full disk shows before anything else.
func (l Layout) Partial(t tools.Tools) (f *os.File, have int64, err error) {
	if err := l.checkSpace(t.Size); err != nil {
		return nil, 0, err
	}
	if err := os.MkdirAll(l.Staging(), 0o700); err != nil {
		return nil, 0, fmt.Errorf("download %s: %w", t.Version, err)
	}
	f, err = os.OpenFile(l.partFile(t.SHA256), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("download %s: %w", t.Version, err)
	}
	if have, err = f.Seek(0, io.SeekEnd); err == nil && have > t.Size {
		have, err = 0, f.Truncate(0)
	}
	if err == nil {
		err = reserve(f, t.Size)
	}
	if err == nil {
		_, err = f.Seek(have, io.SeekStart)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("download %s: %w", t.Version, errors.Join(err, f.Close()))
	}
	return f, have, nil
}

// reserve allocates blocks without changing the file's length. File systems that cannot
// are left to show a full disk when they are written.
func reserve(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return nil
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

func (l Layout) checkSpace(archiveBytes int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(l.Tools(), &st); err != nil {
		return fmt.Errorf("ask for the free space of %s: %w", l.Tools(), err)
	}
	free, need := int64(st.Bavail)*int64(st.Bsize), archiveBytes*(1+unpackFactor)+reserveBytes
	if free < need {
		return fmt.Errorf("%w: %s has %d bytes, the upgrade needs %d", ErrNoSpace, l.Tools(), free, need)
	}
	return nil
}

// Stage makes the downloaded archive a complete version beside the others: it reads the
// file again from the start, checks size and digest, unpacks it, makes every file
// durable and writes the marker last. A version that is there already, whole and from
// the same archive, is used; one from another archive is refused while it is in use.
func (l Layout) Stage(t tools.Tools, inUse ...string) error {
	name := t.Version.String()
	if m, err := Verify(l.Version(name)); err == nil {
		if m.Archive == t.SHA256 {
			return nil
		}
		for _, used := range inUse {
			if used == name {
				return fmt.Errorf("stage %s: %w: it came from an archive with sha256 %q", name, ErrConflict, m.Archive)
			}
		}
	}
	f, err := os.Open(l.partFile(t.SHA256))
	if err != nil {
		return fmt.Errorf("stage %s: %w", name, err)
	}
	defer func() { _ = f.Close() }()
	if err := verifyArchive(f, t); err != nil {
		return errors.Join(fmt.Errorf("stage %s: %w", name, err), os.Remove(f.Name()))
	}
	if err := l.unpack(f, t); err != nil {
		return fmt.Errorf("stage %s: %w", name, err)
	}
	return os.Remove(l.partFile(t.SHA256))
}

func verifyArchive(f *os.File, t tools.Tools) error {
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if n != t.Size {
		return fmt.Errorf("%w: expected %d bytes, found %d", ErrSize, t.Size, n)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != t.SHA256 {
		return fmt.Errorf("%w: expected %s, found %s", ErrDigest, t.SHA256, got)
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

func (l Layout) unpack(f *os.File, t tools.Tools) error {
	tmp := l.Staging() + "-" + t.SHA256[:16]
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(tmp)
	if err != nil {
		return err
	}
	m := Marker{Archive: t.SHA256, Files: map[string]string{}}
	for e, err := range archive.Walk(f, archive.Limits{}) {
		if err == nil {
			m.Files[e.Name], err = writeInRoot(root, e)
		}
		if err != nil {
			return errors.Join(err, root.Close(), os.RemoveAll(tmp))
		}
	}
	if err := root.Close(); err != nil {
		return err
	}
	return l.place(tmp, t.Version.String(), m)
}

func writeInRoot(root *os.Root, e archive.Entry) (digest string, err error) {
	f, err := root.OpenFile(e.Name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, e.Mode)
	if err != nil {
		return "", err
	}
	return copyHashed(f, e.Body, e.Size)
}

func writeHashed(path string, mode fs.FileMode, r io.Reader, limit int64) (digest string, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return "", err
	}
	return copyHashed(f, r, limit)
}

// copyHashed writes, makes durable and closes f.
func copyHashed(f *os.File, r io.Reader, limit int64) (digest string, err error) {
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), io.LimitReader(r, limit))
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Sync(), f.Close())
}
