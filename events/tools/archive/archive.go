// Package archive reads and writes archives of tools. An archive is a gzip-compressed tar that holds
// jujud and, if the build is to be called by another version than the linker set, a FORCE-VERSION file.
// The package works on streams: the caller opens and creates files.
//
// Reading trusts nothing. Names, kinds, sizes and counts are checked before the caller sees an entry,
// and an archive without jujud ends with an error.
package archive

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// Names of what an archive may hold.
const (
	Jujud        = "jujud"
	ForceVersion = "FORCE-VERSION" // overrides the stamped version; source: Juju 1.25
)

// Limits bound what an archive unpacks to.
type Limits struct {
	Entries int   // 0: limits.ArchiveEntries
	Bytes   int64 // of all entries together, unpacked; 0: limits.UnpackedBytes
}

// Within gives the limits of an archive that was signed with this size. Deflate can make a thousand
// bytes of one, and the limit is far below that: no program is so regular, but a bomb is.
func Within(size int64) Limits {
	return Limits{Bytes: min(limits.UnpackedBytes, max(limits.UnpackFloor, min(size, limits.ArchiveBytes)*limits.UnpackFactor))}
}

// Entry is one regular file. Body can be read until the next entry is asked for.
type Entry struct {
	Name string
	Mode fs.FileMode // 0755 for jujud, 0644 for the rest, whatever the archive says
	Size int64
	Body io.Reader
}

// ErrArchive is wrapped by every error about an archive, and ErrLarge besides if it would unpack to
// more than the limits allow.
var (
	ErrArchive = errors.New("bad archive of tools")
	ErrLarge   = errors.New("it unpacks to more than it may")
)

// Walk yields the files of a tgz in the order in which they are packed. It allows a flat set of regular
// files with known, different names, within the limits, one of which is jujud. For anything else it
// yields an error that wraps ErrArchive, and then nothing more.
//
// That jujud is missing, and that bytes follow the archive, is found at the end only. A caller must not
// use what it unpacked before Walk has ended without an error.
func Walk(r io.Reader, limit Limits) iter.Seq2[Entry, error] {
	if limit.Entries == 0 {
		limit.Entries = limits.ArchiveEntries
	}
	if limit.Bytes == 0 {
		limit.Bytes = limits.UnpackedBytes
	}
	return func(yield func(Entry, error) bool) {
		fail := func(format string, args ...any) {
			yield(Entry{}, fmt.Errorf("%w: %w", ErrArchive, fmt.Errorf(format, args...)))
		}
		unzipped, err := gzip.NewReader(r)
		if err != nil {
			fail("it is not gzip-compressed: %w", err)
			return
		}
		w := walk{tar: tar.NewReader(unzipped), limit: limit, seen: map[string]bool{}}
		for {
			e, err := w.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				fail("%w", err)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
		if !w.seen[Jujud] {
			fail("there is no %s in it", Jujud)
			return
		}
		if n, err := io.Copy(io.Discard, io.LimitReader(unzipped, limits.TrailingBytes+1)); err != nil || n > limits.TrailingBytes {
			fail("it does not end where its list of files ends (%v)", err)
		}
	}
}

// walk is one pass over an archive.
type walk struct {
	tar   *tar.Reader
	limit Limits
	seen  map[string]bool
	bytes int64
}

func (w *walk) next() (Entry, error) {
	h, err := w.tar.Next()
	if err != nil {
		return Entry{}, err
	}
	switch {
	case h.Typeflag != tar.TypeReg:
		return Entry{}, fmt.Errorf("%q is no regular file", h.Name)
	case h.Name != Jujud && h.Name != ForceVersion:
		return Entry{}, fmt.Errorf("%q is not one of %s and %s", h.Name, Jujud, ForceVersion)
	case w.seen[h.Name]:
		return Entry{}, fmt.Errorf("%q is in it twice", h.Name)
	case len(w.seen) >= w.limit.Entries:
		return Entry{}, fmt.Errorf("it holds more than %d files", w.limit.Entries)
	case h.Size == 0:
		return Entry{}, fmt.Errorf("%q is empty", h.Name)
	case h.Name == ForceVersion && h.Size > limits.ForceVersionBytes:
		return Entry{}, fmt.Errorf("%q has %d bytes, limit %d", h.Name, h.Size, limits.ForceVersionBytes)
	case h.Size > w.limit.Bytes-w.bytes: // not h.Size+w.bytes: an archive may say any size, and the sum could overflow
		return Entry{}, fmt.Errorf("%w: more than %d bytes", ErrLarge, w.limit.Bytes)
	}
	w.seen[h.Name] = true
	w.bytes += h.Size
	return Entry{Name: h.Name, Mode: mode(h.Name), Size: h.Size, Body: w.tar}, nil
}

func mode(name string) fs.FileMode {
	if name == Jujud {
		return 0o755
	}
	return 0o644
}

// File is one file to pack.
type File struct {
	Name string
	Size int64
	Body io.Reader
}

// Pack writes an archive that Walk accepts. The same files always give the same bytes. Pack refuses
// names that Walk does not know, a name that comes twice, an empty file, a body that is not as long as
// its Size, and a set without jujud.
func Pack(w io.Writer, files ...File) error {
	return PackAt(gzip.DefaultCompression, w, files...)
}

// PackAt is Pack with a gzip level, such as gzip.BestSpeed for archives that are used once.
func PackAt(level int, w io.Writer, files ...File) error {
	zipped, err := gzip.NewWriterLevel(w, level)
	if err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	out := tar.NewWriter(zipped)
	seen := map[string]bool{}
	for _, f := range files {
		if (f.Name != Jujud && f.Name != ForceVersion) || seen[f.Name] || f.Size <= 0 {
			return fmt.Errorf("pack %q: not one of %s and %s, there already, or empty", f.Name, Jujud, ForceVersion)
		}
		seen[f.Name] = true
		if err := pack(out, f); err != nil {
			return fmt.Errorf("pack %s: %w", f.Name, err)
		}
	}
	if !seen[Jujud] {
		return fmt.Errorf("pack: there is no %s", Jujud)
	}
	return errors.Join(out.Close(), zipped.Close())
}

func pack(out *tar.Writer, f File) error {
	h := &tar.Header{
		Name: f.Name, Size: f.Size, Mode: int64(mode(f.Name)), Typeflag: tar.TypeReg,
		ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR,
	}
	if err := out.WriteHeader(h); err != nil {
		return err
	}
	n, err := io.Copy(out, f.Body)
	if err == nil && n != f.Size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("%d of %d bytes: %w", n, f.Size, err)
	}
	return nil
}
