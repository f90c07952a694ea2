package install

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/host"
)

// ErrNoSpace: the disk is too full for the upgrade. Nothing was switched. It is the host's
// trouble and not the version's: the next order for the same version is followed.
var ErrNoSpace = errors.New("not enough free space")

// reserveBytes is how much of the disk an upgrade leaves free.
const reserveBytes = 32 << 20

// unpackFactor is how many times the size of its archive a version is assumed to have, as long
// as the archive is not unpacked.
const unpackFactor = 4

// Download is an archive that grows in the staging directory.
type Download struct {
	Have int64 // bytes that were in the file when it was opened; Write appends to them

	l Layout
	t tools.Tools
	f host.File
}

// partFile is the file in which the archive with that digest grows.
func (l Layout) partFile(digest string) string {
	return filepath.Join(l.Staging(), digest+".part")
}

// Download opens the archive's file, so that a fetch can go on where an earlier try stopped. It
// removes what other downloads left there. Before the first byte is fetched, it allocates the
// archive's size and checks that there is room for what the archive unpacks to and for the
// reserve. If there is not, it returns ErrNoSpace.
func (l Layout) Download(t tools.Tools) (*Download, error) {
	d := &Download{l: l, t: t}
	if err := d.open(); err != nil {
		return nil, fmt.Errorf("download %s: %w", t.Version, noSpace(err))
	}
	return d, nil
}

func (d *Download) open() error {
	if err := mkdirs(d.l.disk(), d.l.Staging()); err != nil {
		return err
	}
	if err := d.l.removeOtherParts(d.t.SHA256); err != nil {
		return err
	}
	f, err := d.l.disk().Append(d.l.partFile(d.t.SHA256))
	if err != nil {
		return err
	}
	d.f = f
	if d.Have, err = f.Seek(0, io.SeekEnd); err == nil && d.Have > d.t.Size {
		d.Have, err = 0, f.Truncate(0)
	}
	if err == nil {
		err = d.reserve()
	}
	if err == nil {
		_, err = f.Seek(d.Have, io.SeekStart)
	}
	if err == nil {
		return nil
	}
	if err = errors.Join(err, f.Close()); d.Have == 0 || isFull(err) {
		err = errors.Join(err, d.l.disk().Remove(d.l.partFile(d.t.SHA256)))
	}
	return err
}

func (l Layout) removeOtherParts(digest string) error {
	names, err := l.disk().ReadDir(l.Staging())
	for _, name := range names {
		if path := filepath.Join(l.Staging(), name); path != l.partFile(digest) {
			err = errors.Join(err, removeAll(l.disk(), path))
		}
	}
	return err
}

// reserve allocates the size of the archive and checks that there is room for the rest. On a
// file system that cannot allocate without writing, it only checks, for both.
func (d *Download) reserve() error {
	need := d.t.Size*unpackFactor + reserveBytes
	switch err := d.f.Reserve(d.t.Size); {
	case errors.Is(err, errors.ErrUnsupported):
		need += d.t.Size - d.Have
	case err != nil:
		return err
	}
	free, err := d.l.disk().Free(d.l.Tools())
	if err != nil {
		return fmt.Errorf("ask for the free space of %s: %w", d.l.Tools(), err)
	}
	if free < need {
		return fmt.Errorf("%w: %s has %d bytes, the upgrade needs %d", ErrNoSpace, d.l.Tools(), free, need)
	}
	return nil
}

// Write appends to the archive's file.
func (d *Download) Write(b []byte) (int, error) {
	n, err := d.f.Write(b)
	return n, noSpace(err)
}

// Close makes durable what was fetched. If the file has its full size and another digest than
// was ordered, Close returns ErrDigest: a power cut damaged its beginning, or its beginning
// came from another archive than its end. After any error the file is removed, and the next
// download begins anew.
func (d *Download) Close() error {
	have, err := d.f.Seek(0, io.SeekEnd)
	err = errors.Join(err, d.f.Sync())
	if err == nil && have == d.t.Size {
		if _, err = d.f.Seek(0, io.SeekStart); err == nil {
			err = checkArchive(d.f, d.t)
		}
	}
	if err = errors.Join(err, d.f.Close()); err == nil {
		return nil
	}
	return fmt.Errorf("keep the download of %s: %w", d.t.Version, noSpace(errors.Join(err, d.l.disk().Remove(d.l.partFile(d.t.SHA256)))))
}

// Discard closes the file and removes it, in place of Close.
func (d *Download) Discard() error {
	return errors.Join(d.f.Close(), d.l.disk().Remove(d.l.partFile(d.t.SHA256)))
}

// noSpace makes every error of a full disk, or of a full quota, an ErrNoSpace.
func noSpace(err error) error {
	if isFull(err) && !errors.Is(err, ErrNoSpace) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

func isFull(err error) bool {
	return errors.Is(err, ErrNoSpace) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
