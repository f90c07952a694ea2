package statesrv

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// publisher keeps the environment's published metadata and makes the next publication. A publication
// has four steps, in this order: it is made from a bundle that operators signed, its bytes go into
// the object store, the log records it, and the publisher adopts it. If the log refuses it, the bytes
// in the store are of no account, and the next publication removes them.
type publisher struct {
	site    *Site
	store   *bus.ToolStore
	own     string // public key that this state server signs orders with
	writer  *writer.Writer
	staging *staging
	now     func() time.Time
	logger  *slog.Logger

	due  host.Poke     // sent when the settings give timestamps another life
	life time.Duration // of the timestamps that are signed; the writer's goroutine only

	// making is held from the first step of a publication to the last. Otherwise two publications
	// could follow the same one before, and the second would undo the first. It is locked before
	// mu, never while mu is held.
	making sync.Mutex

	mu      sync.Mutex // guards the fields below; it is held only to read or replace them
	bundle  tuf.Bundle
	trusted tuf.Trusted // what bundle says, verified; zero: nothing is published
	digest  string      // sha256 of the bundle in the store
}

// publication is a bundle that was made and is not in the log yet.
type publication struct {
	bundle  tuf.Bundle
	trusted tuf.Trusted
	fact    events.TrustPublished
}

func (n *publication) publication() *decide.Publication {
	return &decide.Publication{Fact: n.fact, Bundle: n.bundle}
}

// open reads at the term's start what was published last, and gives nil. For a log without a
// publication it makes the first one, which the caller records. For a log from before facts had to be
// proven it publishes the same again, with all documents: from there on they must be.
func (p *publisher) open(ctx context.Context, s *projections.State, now time.Time) (*publication, error) {
	if s.Trust.Seq == 0 {
		return p.next(ctx, s, p.site.First, now)
	}
	b, err := p.store.GetMetadata(ctx, s.Trust.Bundle)
	if err == nil {
		p.bundle, err = tuf.ParseBundle(b)
	}
	if err == nil { // verified as of the time at which it was published: it may have expired since
		p.trusted, err = tuf.Open(p.site.Anchor, p.bundle, s.Trust.Time)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read the site's metadata: %w; nothing was changed", errUnusable, err)
	}
	p.digest = s.Trust.Bundle.SHA256
	if s.Root != "" {
		return nil, nil
	}
	n, err := p.next(ctx, s, p.bundle, now)
	if err != nil {
		p.logger.Warn("the log stays one whose facts need no cause: the signed metadata cannot be published again", "err", err)
		return nil, nil
	}
	return n, nil
}

// next makes a publication of a bundle that operators have signed: it checks that the bundle was
// begun on what is published, signs snapshot and timestamp, verifies the result as every reader
// does, and stores it. The caller holds making, or is alone at the term's start. Nobody uses the
// publication before the log has it.
func (p *publisher) next(ctx context.Context, s *projections.State, b tuf.Bundle, now time.Time) (*publication, error) {
	if err := decide.Follows(p.bundle, p.trusted, b); err != nil {
		return nil, err
	}
	repo, err := tuf.OpenRepository(b)
	if err != nil {
		return nil, err
	}
	repo.After(p.bundle)
	if err := repo.Freshen(now, decide.Lives(s), p.site.Keys...); err != nil {
		return nil, err
	}
	n := &publication{bundle: repo.Bundle()}
	if p.trusted.IsZero() {
		n.trusted, err = tuf.Open(p.site.Anchor, n.bundle, now)
	} else {
		n.trusted, err = p.trusted.Update(n.bundle, now)
	}
	if err == nil {
		err = decide.NotLockedOut(n.trusted.Roster(), p.own)
	}
	if err != nil {
		return nil, err
	}
	o, err := p.store.PutMetadata(ctx, n.bundle.Marshal())
	n.fact = n.trusted.Published(o)
	return n, err
}

// adopt makes a publication that is in the log the current one. It keeps the one before in the store
// and removes all older ones: somebody may be about to fetch the one before.
func (p *publisher) adopt(ctx context.Context, n *publication) error {
	p.mu.Lock()
	before := p.digest
	p.bundle, p.trusted, p.digest = n.bundle, n.trusted, n.fact.Bundle.SHA256
	p.mu.Unlock()
	return p.store.KeepMetadata(ctx, before, n.fact.Bundle.SHA256)
}

// signedArchives is the list of the archives that release managers have signed.
func (p *publisher) signedArchives() decide.ArchiveList {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trusted
}

// awaitCurrent is current after the publication that is being made, if any, has ended. A reader who
// has seen the record of a publication then gets its bundle, and not the one before.
func (p *publisher) awaitCurrent() tuf.Bundle {
	p.making.Lock()
	defer p.making.Unlock()
	return p.current()
}

// current is the published bundle.
func (p *publisher) current() tuf.Bundle {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bundle
}
