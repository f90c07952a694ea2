package streams

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// Trust says whose metadata a reader of sources believes. Nothing else decides that. The bundle
// of signed metadata of a tree (streams/v1/trust.json) covers its index, products and archives.
type Trust struct {
	Anchors  []string         // first roots of publishers that are believed, by their sha256
	Now      func() time.Time // nil: the beginning of time; nothing has expired
	Unsigned []string         // sources, as they are given to Open, that may be without signatures
	Seen     Seen             // what was accepted before; nil: nothing is remembered

	place    string // where the source that is read lies, under whatever name it was given
	unsigned bool   // the source that is read may be without signatures
}

// Seen remembers what was accepted of a publisher's metadata at a place.
type Seen interface {
	// Trusted is what was kept; the zero Trusted: nothing was.
	Trusted(place, anchor string) (tuf.Trusted, error)
	Keep(place, anchor string, t tuf.Trusted) error
}

// ErrRolledBack: a source shows older metadata than it did before.
var ErrRolledBack = errors.New("it is older than what was there before")

// of is the trust in one source. given is what Open was given; place is where the source lies
// after links were followed.
func (t Trust) of(given, place string) Trust {
	t.place, t.unsigned = place, slices.Contains(t.Unsigned, given)
	if t.Now == nil {
		t.Now = func() time.Time { return time.Time{} }
	}
	return t
}

// signed reads a source's bundle and verifies that it follows on what was accepted before. A
// source without a bundle is accepted only if the operator allowed that (Unsigned). A bundle
// that does not verify is never accepted. The zero Trusted: nobody signed.
func (t Trust) signed(get getter) (tuf.Trusted, error) {
	b, err := get(simplestreams.TrustPath, tuf.MaxBundle)
	switch {
	case errors.Is(err, fs.ErrNotExist) && t.unsigned:
		return tuf.Trusted{}, nil
	case errors.Is(err, fs.ErrNotExist) && !hasIndex(get):
		return tuf.Trusted{}, fmt.Errorf("there is no tree of tools: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		return tuf.Trusted{}, fmt.Errorf("%s: %w", simplestreams.TrustPath, tools.ErrUnsigned)
	case errors.Is(err, errTooLong):
		return tuf.Trusted{}, fmt.Errorf("%s: %w: %w", simplestreams.TrustPath, tools.ErrSignature, err)
	case err != nil:
		return tuf.Trusted{}, fmt.Errorf("read the signatures: %w", err)
	}
	accepted, err := t.accept(b)
	if err != nil {
		return accepted, fmt.Errorf("%s: %w", simplestreams.TrustPath, meaning(err))
	}
	return accepted, nil
}

// hasIndex says whether there is an index, without reading it.
func hasIndex(get getter) bool {
	for _, path := range []string{simplestreams.IndexPath, simplestreams.LegacyIndexPath} {
		if _, err := get(path, 0); !errors.Is(err, fs.ErrNotExist) {
			return true
		}
	}
	return false
}

// accept finds the anchor that a bundle begins at, and verifies the bundle against what was
// accepted at this place before. It keeps what it accepts before it returns it, so that older
// metadata is refused from then on.
func (t Trust) accept(b []byte) (tuf.Trusted, error) {
	bundle, err := tuf.ParseBundle(b)
	if err != nil {
		return tuf.Trusted{}, err
	}
	i := slices.IndexFunc(t.Anchors, func(a string) bool { return bundle.Root(tuf.Anchor{SHA256: a}) != nil })
	if i < 0 {
		return tuf.Trusted{}, fmt.Errorf("%w: it is %s; trusted: %s", tools.ErrSigner, firstOf(bundle), orNobody(t.Anchors))
	}
	anchor := t.Anchors[i]
	var before tuf.Trusted
	if t.Seen != nil {
		if before, err = t.Seen.Trusted(t.place, anchor); err != nil {
			return before, err
		}
	}
	var next tuf.Trusted
	if before.IsZero() {
		next, err = tuf.Open(tuf.Anchor{SHA256: anchor}, bundle, t.Now())
	} else {
		next, err = before.Update(bundle, t.Now())
	}
	if err == nil && t.Seen != nil {
		err = t.Seen.Keep(t.place, anchor, next)
	}
	return next, err
}

// firstOf names who published a bundle.
func firstOf(b tuf.Bundle) string {
	if len(b.Roots) == 0 {
		return "nobody"
	}
	return tuf.AnchorOf(b.Roots[0]).SHA256
}

func orNobody(list []string) string {
	if len(list) == 0 {
		return "nobody"
	}
	return strings.Join(list, ", ")
}

// meaning puts the word that a reader of sources looks for before a refusal of package tuf.
func meaning(err error) error {
	switch events.CodeOf(err) {
	case "":
		return err
	case events.CodeTUFExpired:
		return fmt.Errorf("%w: %w", tools.ErrExpired, err)
	case events.CodeTUFRollback:
		return fmt.Errorf("%w: %w", ErrRolledBack, err)
	}
	return fmt.Errorf("%w: %w", tools.ErrSignature, err)
}
