package streams

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
)

// Listing is what a stream of a source has, and who says so.
type Listing struct {
	Found    []Found
	SignedBy string // whose signature is on the metadata; empty: nobody's, which the operator allowed
	Signing  uint64 // counter of that signature
}

// Trust is what a reader of sources believes.
type Trust struct {
	Verifier tools.Verifier // nil: nobody
	Unsigned []string       // sources, as they are given to Open, that may be without signatures
	Seen     Seen           // what was seen before; nil: nothing is remembered

	place    string // of the source at hand, whatever it is called
	unsigned bool   // of the source at hand
}

// Seen remembers the newest signing of a file that a source has shown.
type Seen interface {
	// Newest returns ErrRolledBack when a newer signing than counter, of that file by that
	// signer, was seen there before; else it notes counter.
	Newest(source, signer, path string, counter uint64) error
}

// ErrRolledBack: a source shows older metadata than it did before.
var ErrRolledBack = errors.New("it is older than what was there before")

// of is the trust in one source, as it was given to Open; place is where it really is.
func (t Trust) of(given, place string) Trust {
	t.place, t.unsigned = place, slices.Contains(t.Unsigned, given)
	if t.Verifier == nil {
		t.Verifier = tools.Keyring{}
	}
	return t
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

// read names every fault of the metadata that does not hide the others.
func (t Trust) read(stream string, get getter) (l Listing, faults []error) {
	if err := simplestreams.CheckStream(stream); err != nil {
		return l, []error{err}
	}
	path := simplestreams.IndexPath
	b, err := get(path)
	if errors.Is(err, fs.ErrNotExist) {
		if legacy, err2 := get(simplestreams.LegacyIndexPath); err2 == nil {
			path, b, err = simplestreams.LegacyIndexPath, legacy, nil
		}
	}
	if err != nil {
		return l, []error{fmt.Errorf("read the index: %w", err)}
	}
	signedIndex, err := t.verify(path, "", b, get)
	if err != nil {
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
	st, err := t.verify(entry.Path, stream, b, get)
	switch {
	case err != nil:
		faults = append(faults, err)
	case st.Counter != entry.Counter && signedIndex.Signer != "":
		faults = append(faults, fmt.Errorf("%s: %w: it is of signing %d, the index names signing %d", entry.Path, tools.ErrSignature, st.Counter, entry.Counter))
	}
	found, more := simplestreams.ParseProducts(b, stream)
	return Listing{Found: found, SignedBy: st.Signer, Signing: st.Counter}, append(faults, more...)
}

// verify checks the signature of a file that was read. A file without one is accepted
// only from a source of which the operator said so; one that does not fit, never.
func (t Trust) verify(path, stream string, content []byte, get getter) (tools.Statement, error) {
	sig, err := get(simplestreams.SignaturePath(path))
	switch {
	case errors.Is(err, fs.ErrNotExist) && t.unsigned:
		return tools.Statement{}, nil
	case errors.Is(err, fs.ErrNotExist):
		return tools.Statement{}, fmt.Errorf("%s: %w", path, tools.ErrUnsigned)
	case err != nil:
		return tools.Statement{}, fmt.Errorf("read the signature of %s: %w", path, err)
	}
	st, err := t.Verifier.Verify(path, content, sig)
	if err == nil && st.Stream != stream {
		err = fmt.Errorf("%s: %w: it is for stream %q, not for %q", path, tools.ErrSignature, st.Stream, stream)
	}
	if err == nil && t.Seen != nil {
		err = t.Seen.Newest(t.place, st.Signer, path, st.Counter)
	}
	if err != nil {
		return tools.Statement{}, err
	}
	return st, nil
}
