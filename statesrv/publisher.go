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

// publisher has the environment's signed metadata: what is published, and the way to the
// next. One publication is made at a time.
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

	// making is held from making a publication until it is in the log and taken over: two
	// that were made at the same time would both follow on the same one before. It is taken
	// before mu.
	making sync.Mutex

	mu      sync.Mutex // guards what is published
	bundle  tuf.Bundle
	trusted tuf.Trusted
	digest  string // of the bundle in the store
}

// publication is the next bundle, before it is in the log.
type publication struct {
	bundle  tuf.Bundle
	trusted tuf.Trusted
	fact    events.TrustPublished
}

// open reads what was published last, or makes the first publication for a log without one.
func (p *publisher) open(ctx context.Context, s *projections.State, now time.Time) (*publication, error) {
	if s.Trust.Seq == 0 {
		return p.next(ctx, s, p.site.First, now)
	}
	b, err := p.store.GetMetadata(ctx, s.Trust.Bundle)
	if err == nil {
		p.bundle, err = tuf.ParseBundle(b)
	}
	if err == nil { // it may have expired since: it held when it was published
		p.trusted, err = tuf.Open(p.site.Anchor, p.bundle, s.Trust.Time)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: read the site's metadata: %w; nothing was changed", errUnusable, err)
	}
	p.digest = s.Trust.Bundle.SHA256
	return nil, nil
}

// next makes the publication of a bundle that release managers have signed: it must follow
// on what is published. Nobody sees it before it is recorded.
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
	n.fact = decide.PublicationOf(n.trusted, o)
	return n, err
}

// published takes a publication over once it is in the log, and removes those before the
// last from the store: whoever was about to fetch the last one still can.
func (p *publisher) published(ctx context.Context, n *publication) error {
	p.mu.Lock()
	before := p.digest
	p.bundle, p.trusted, p.digest = n.bundle, n.trusted, n.fact.Bundle.SHA256
	p.mu.Unlock()
	return p.store.KeepMetadata(ctx, before, n.fact.Bundle.SHA256)
}

// list is what release managers have signed.
func (p *publisher) list() decide.ArchiveList {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trusted
}

// settled is current, once a publication that is being made has ended: who saw its record gets
// its bundle.
func (p *publisher) settled() tuf.Bundle {
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
