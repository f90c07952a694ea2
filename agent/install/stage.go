package install

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/host"
)

// Errors between a download and a staged version. After ErrSize and ErrDigest the download is
// removed and can be fetched again. After ErrConflict the host must first move to another
// version: it uses a different build of this one.
var (
	ErrSize     = errors.New("size is not what was ordered")
	ErrDigest   = errors.New("sha256 is not what was ordered")
	ErrConflict = errors.New("another build of that version is in use")
)

// Stage makes the downloaded archive a complete version beside the others. It reads the file
// again from its start, checks size and digest, unpacks the archive, makes every file durable
// and writes the marker last. Only then does it rename the directory to the version's name.
//
// If the version is there already, complete and from the same archive, nothing is done. If it
// is there with other files, it is replaced, unless it is in use: then Stage returns
// ErrConflict. A version is in use if it is one of inUse, or the link or the journal names it.
func (l Layout) Stage(t tools.Tools, inUse ...string) error {
	name := t.Version.String()
	if m, err := l.Verify(name); err == nil && m.Archive == t.SHA256 {
		return nil
	}
	f, err := l.disk().Open(l.partFile(t.SHA256))
	if err != nil {
		return fmt.Errorf("stage %s: %w", name, err)
	}
	err = checkArchive(f, t)
	bad := errors.Is(err, ErrSize) || errors.Is(err, ErrDigest)
	if err == nil {
		err = l.unpack(f, t, inUse)
	}
	if err = errors.Join(err, f.Close()); err == nil || bad {
		err = errors.Join(err, l.disk().Remove(l.partFile(t.SHA256)))
	}
	if err != nil {
		return fmt.Errorf("stage %s: %w", name, noSpace(err))
	}
	return nil
}

// checkArchive reads an open download to its end and compares size and digest with what was
// ordered. The file must be at its start, and is there again afterwards.
func checkArchive(f host.File, t tools.Tools) error {
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

// unpack unpacks into a temporary directory beside the versions, and then gives that the
// version's name. If an error stops it, it removes the temporary directory.
func (l Layout) unpack(f host.File, t tools.Tools, inUse []string) error {
	tmp := l.Staging() + "-" + t.SHA256[:16]
	if err := removeAll(l.disk(), tmp); err != nil { // what an earlier try left that was cut off
		return err
	}
	err := l.disk().Mkdir(tmp)
	m := Marker{Archive: t.SHA256}
	if err == nil {
		m.Files, err = l.extract(f, t.Size, tmp)
	}
	if err == nil {
		err = l.replace(tmp, t.Version.String(), m, inUse)
	}
	if err != nil {
		return errors.Join(err, removeAll(l.disk(), tmp))
	}
	return nil
}

// extract writes the archive's files into a directory, durably, and hashes them.
func (l Layout) extract(f host.File, size int64, dir string) (files map[string]string, err error) {
	files = map[string]string{}
	for e, err := range archive.Walk(f, archive.Within(size)) {
		if err == nil {
			files[e.Name], err = l.writeHashed(filepath.Join(dir, e.Name), e.Mode&0o700, e.Body, e.Size)
		}
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// replace gives the directory tmp the name of a version, if no version of that name exists, or
// it is damaged, or it is of other files and not in use. If a version is there with the very
// same files, unpacked from another archive, its files stay, and only its marker is written
// anew: it then names the new archive.
func (l Layout) replace(tmp, name string, m Marker, inUse []string) error {
	there, err := l.Verify(name)
	if err != nil {
		return l.place(tmp, name, m)
	}
	if maps.Equal(there.Files, m.Files) {
		return errors.Join(l.mark(l.Version(name), m), removeAll(l.disk(), tmp))
	}
	named, err := l.inUse(name)
	if err != nil {
		return err
	}
	if named || slices.Contains(inUse, name) {
		return fmt.Errorf("%w: it came from an archive with sha256 %q", ErrConflict, there.Archive)
	}
	return l.place(tmp, name, m)
}

// writeHashed writes a new file, durably, and returns its sha256. It takes at most limit bytes
// of r; a negative limit means all of them.
func (l Layout) writeHashed(path string, mode fs.FileMode, r io.Reader, limit int64) (digest string, err error) {
	f, err := l.disk().Create(path, mode)
	if err != nil {
		return "", err
	}
	if limit >= 0 {
		r = io.LimitReader(r, limit)
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(f, h), r)
	return hex.EncodeToString(h.Sum(nil)), errors.Join(err, f.Sync(), f.Close())
}
