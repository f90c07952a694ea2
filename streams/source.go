package streams

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
)

// Found is one archive that a source has.
type Found = simplestreams.Found

// Source is a simplestreams tree. Its methods may be called concurrently; their errors
// wrap ErrSource.
type Source interface {
	// List reads what a stream has, and who vouches for it. Nothing is fetched but metadata.
	List(ctx context.Context, stream string) (Listing, error)
	// Fetch opens an archive from byte offset on. Reading ends with an error unless
	// exactly the listed number of bytes comes, or when ctx ends.
	Fetch(ctx context.Context, f Found, offset int64) (io.ReadCloser, error)
	// String is where it is, for a person; passwords are left out.
	String() string
}

// maxMetadata bounds an index or a products file. A file that is signed is bounded by its signed
// length as well.
const maxMetadata = limits.MetadataBytes

// ErrSource is wrapped by every failure of a source: where it is and what was wrong.
var ErrSource = errors.New("bad source of tools")

// Open opens the tree at base: a directory, a file:// URL or an http(s) URL, which is the tools
// directory of the tree or the directory that holds it. Open fetches nothing. List refuses
// metadata that trust does not allow.
func Open(base string, trust Trust) (Source, error) {
	given := base
	if path, ok := strings.CutPrefix(base, "file://"); ok {
		base = path
	}
	if strings.Contains(base, "://") {
		u, err := url.Parse(base)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("%w: %q is no plain http or https URL", ErrSource, redacted(u, base))
		}
		return newWeb(u, stallTimeout, trust.of(given, given)), nil
	}
	dir, err := toolsDir(base)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	place, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	return tree{directory(dir), trust.of(given, place)}, nil
}

// ErrLength is wrapped, beside ErrSource, when an archive is complete but not as long as it is
// listed. Fetching it again would give the same.
var ErrLength = errors.New("wrong length")

// redacted is a URL without its password; a text that is no URL stays as it was given.
func redacted(u *url.URL, base string) string {
	if u == nil {
		return base
	}
	return u.Redacted()
}

// errTooLong: a file of metadata has more bytes than it may have, or than were signed.
var errTooLong = errors.New("it is too long")

// readAll reads a small file whole, and refuses one of more than limit bytes with errTooLong.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: it has more than %d bytes", errTooLong, limit)
	}
	return b, err
}

// exact reads an archive. Its reading ends with an error if the archive is shorter or longer
// than it is listed.
type exact struct {
	io.ReadCloser
	f     Found
	where string
	left  int64
}

func (e *exact) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	e.left -= int64(n)
	switch {
	case e.left < 0:
		return 0, fmt.Errorf("%w: %s: %s: %w: it is longer than the %d bytes that are listed", ErrSource, e.where, e.f.Path, ErrLength, e.f.Size)
	case err == io.EOF && e.left > 0:
		return n, fmt.Errorf("%w: %s: %s: %w: it ends %d bytes before the %d that are listed: %w",
			ErrSource, e.where, e.f.Path, ErrLength, e.left, e.f.Size, io.ErrUnexpectedEOF)
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("%w: %s: %s: %w", ErrSource, e.where, e.f.Path, err)
	}
	return n, err
}
