package streams

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
)

// Listing is what a stream of a source has, and who signed for it.
type Listing struct {
	Found    []Found
	SignedBy string // sha256 of its publisher's first root; empty: nobody signed, which the operator allowed
	Signing  uint64 // version of the targets that this publisher signed
}

// list reads index and products through get, which reads a small file below the tools
// directory. Where there is no index the legacy one is tried.
func (t Trust) list(stream, where string, get getter) (Listing, error) {
	l, faults := t.read(stream, get)
	if err := errors.Join(faults...); err != nil {
		return Listing{}, fmt.Errorf("%w: %s: %w", ErrSource, where, err)
	}
	return l, nil
}

// getter reads a small file below the tools directory.
type getter func(path string) ([]byte, error)

// read reads the metadata of a stream. It returns every fault that it finds; it stops only at a
// fault that hides what follows.
func (t Trust) read(stream string, get getter) (l Listing, faults []error) {
	if err := simplestreams.CheckStream(stream); err != nil {
		return l, []error{err}
	}
	signed, err := t.signed(get)
	switch {
	case errors.Is(err, errUnread):
		return l, []error{err}
	case err != nil:
		faults = append(faults, err)
	}
	path, b, err := readIndex(get)
	if err != nil {
		return l, []error{fmt.Errorf("read the index: %w", err)} // then nothing is there, signed or not
	}
	if err := covers(signed, path, b); err != nil {
		faults = append(faults, err)
	}
	index, err := simplestreams.ParseIndex(b)
	if err != nil {
		return l, append(faults, err)
	}
	entry, err := index.Stream(stream)
	if err != nil {
		return l, append(faults, err)
	}
	if b, err = get(entry.Path); err != nil {
		return l, append(faults, fmt.Errorf("read the products: %w", err))
	}
	if err := covers(signed, entry.Path, b); err != nil {
		faults = append(faults, err)
	}
	found, more := simplestreams.ParseProducts(b, stream)
	faults = append(faults, more...)
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
func readIndex(get getter) (path string, b []byte, err error) {
	b, err = get(simplestreams.IndexPath)
	if errors.Is(err, fs.ErrNotExist) {
		if legacy, err2 := get(simplestreams.LegacyIndexPath); err2 == nil {
			return simplestreams.LegacyIndexPath, legacy, nil
		}
	}
	return simplestreams.IndexPath, b, err
}
