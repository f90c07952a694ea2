package streams

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// Listing is what a stream of a source has, and who signed for it.
type Listing struct {
	Found    []Found
	SignedBy string // sha256 of its publisher's first root; empty: nobody signed, which the operator allowed
	Signing  uint64 // version of the targets that this publisher signed
}

// list reads index and products through get. Where there is no index the legacy one is tried.
func (t Trust) list(stream, where string, get getter) (Listing, error) {
	l, faults := t.read(stream, get)
	if err := errors.Join(faults...); err != nil {
		return Listing{}, fmt.Errorf("%w: %s: %w", ErrSource, where, err)
	}
	return l, nil
}

// getter reads a small file below the tools directory. A file of more than limit bytes is
// errTooLong, and no byte beyond the limit is kept.
type getter func(path string, limit int64) ([]byte, error)

// read reads the metadata of a stream. It stops at the first file that is not as it was signed,
// before it parses that file: what a stranger sends costs no more than its bytes. The faults in
// products that are as they were signed are returned all at once.
func (t Trust) read(stream string, get getter) (l Listing, faults []error) {
	if err := simplestreams.CheckStream(stream); err != nil {
		return l, []error{err}
	}
	signed, err := t.signed(get)
	if err != nil {
		return l, []error{err}
	}
	b, err := readIndex(signed, get)
	if err != nil {
		return l, []error{fmt.Errorf("read the index: %w", err)}
	}
	index, err := simplestreams.ParseIndex(b)
	if err != nil {
		return l, []error{err}
	}
	entry, err := index.Stream(stream)
	if err != nil {
		return l, []error{err}
	}
	if b, err = readFile(signed, entry.Path, get); err != nil {
		return l, []error{fmt.Errorf("read the products: %w", err)}
	}
	found, faults := simplestreams.ParseProducts(b, stream)
	if signed.IsZero() {
		return Listing{Found: found}, faults
	}
	for _, f := range found {
		if err := signed.Tools(f.Tools); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w: %w", f.Path, tools.ErrSignature, err))
		}
	}
	return Listing{Found: found, SignedBy: signed.Anchor().SHA256, Signing: uint64(signed.Versions().Targets)}, faults
}

// readIndex reads the index, or the legacy one where there is no other.
func readIndex(signed tuf.Trusted, get getter) ([]byte, error) {
	b, err := readFile(signed, simplestreams.IndexPath, get)
	if errors.Is(err, fs.ErrNotExist) || events.CodeOf(err) == events.CodeTargetUnknown {
		if legacy, err2 := readFile(signed, simplestreams.LegacyIndexPath, get); err2 == nil {
			return legacy, nil
		}
	}
	return b, err
}

// readFile reads a file of metadata. Of a signed tree it reads only what was signed, within the
// length that was signed, and the bytes are those that were signed.
func readFile(signed tuf.Trusted, path string, get getter) ([]byte, error) {
	if signed.IsZero() {
		return get(path, maxMetadata)
	}
	length, err := signed.Length(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, tools.ErrSignature, err)
	}
	b, err := get(path, min(length, maxMetadata))
	if err == nil {
		err = signed.File(path, b)
	}
	if errors.Is(err, errTooLong) || events.CodeOf(err) != "" {
		err = fmt.Errorf("%s: %w: %w", path, tools.ErrSignature, err)
	}
	return b, err
}
