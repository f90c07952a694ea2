package statesrv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/projections"
)

// publisher has the environment's signed metadata: what is published, and the way to the
// next. One publication is made at a time.
type publisher struct {
	site  *Site
	store *bus.ToolStore
	own   string // public key that this state server signs orders with

	making sync.Mutex // held from making a publication until it is in the log

	mu      sync.Mutex
	bundle  tuf.Bundle
	trusted tuf.Trusted
	now     string // digest of the bundle in the store
}

// publication is the next bundle, before it is in the log.
type publication struct {
	bundle  tuf.Bundle
	trusted tuf.Trusted
	fact    events.TrustPublished
}

// lives are how long what the state server signs holds.
func lives(s *projections.State) tuf.Lives {
	d := settings.Duration(s.Settings, "trust-expiry")
	return tuf.Lives{Timestamp: d, Snapshot: 7 * d}
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
	p.now = s.Trust.Bundle.SHA256
	return nil, nil
}

// Codes of refusals of a publication, beside those of package tuf.
const (
	codeTrustStale   = "trust-stale"   // somebody else has published since it was begun
	codeTrustLockout = "trust-lockout" // nobody could change or order anything afterwards
	codeTrustMissing = "trust-missing" // the bundle was not staged
	codeRole         = "req-scope"     // the operator has not the role for it
)

// next makes the publication of a bundle that release managers have signed: it must follow
// on what is published. Nobody sees it before it is recorded.
func (p *publisher) next(ctx context.Context, s *projections.State, b tuf.Bundle, now time.Time) (*publication, error) {
	if err := p.follows(b); err != nil {
		return nil, err
	}
	repo, err := tuf.OpenRepository(b)
	if err != nil {
		return nil, err
	}
	repo.After(p.bundle)
	if err := repo.Freshen(now, lives(s), p.site.Keys...); err != nil {
		return nil, err
	}
	n := &publication{bundle: repo.Bundle()}
	if p.trusted.IsZero() {
		n.trusted, err = tuf.Open(p.site.Anchor, n.bundle, now)
	} else {
		n.trusted, err = p.trusted.Update(n.bundle, now)
	}
	if err == nil {
		err = p.notLockedOut(n.trusted.Roster())
	}
	if err != nil {
		return nil, err
	}
	o, err := p.store.PutMetadata(ctx, n.bundle.Marshal())
	n.fact = factOf(n.trusted, o)
	return n, err
}

// follows refuses a bundle that was begun on another one than is published.
func (p *publisher) follows(b tuf.Bundle) error {
	have := p.bundle
	if len(b.Roots) < len(have.Roots) {
		return events.Refuse(codeTrustStale, "it has %d roots, %d are published: begin again from what is published", len(b.Roots), len(have.Roots))
	}
	for i := range have.Roots {
		if !bytes.Equal(b.Roots[i], have.Roots[i]) {
			return events.Refuse(codeTrustStale, "its root %d is another one than was published: begin again from what is published", i+1)
		}
	}
	if p.trusted.IsZero() || bytes.Equal(b.Targets, have.Targets) {
		return nil
	}
	repo, err := tuf.OpenRepository(b)
	if err != nil {
		return err
	}
	if st, err := repo.Standing(tuf.Targets); err != nil || st.Version == p.trusted.Versions().Targets {
		return errors.Join(err, events.Refuse(codeTrustStale, "other targets of version %d are published: begin again from those", st.Version))
	}
	return nil
}

// notLockedOut refuses operators without an admin, and without this state server.
func (p *publisher) notLockedOut(r events.Roster) error {
	admin, server := false, false
	for _, o := range r.Operators {
		admin = admin || o.Somewhere(events.RoleAdmin)
	}
	for _, key := range r.StateServers {
		server = server || key == p.own
	}
	if !admin || !server {
		return events.Refuse(codeTrustLockout, "operators.json names no admin, or not this state server (%s): nobody could order anything afterwards", p.own)
	}
	return nil
}

func factOf(t tuf.Trusted, o events.Object) events.TrustPublished {
	f := events.TrustPublished{Bundle: o, Version: t.Versions(), Timestamp: t.TimestampBytes(), Roster: t.Roster()}
	f.Fresh, _ = t.Expires()
	f.Expires = t.Holds()
	if floor := t.Floor(); !floor.IsZero() {
		f.Floor = &floor
	}
	if r := t.Revoked(); len(r.Keys)+len(r.Artefacts)+len(r.Requests) > 0 {
		f.Revoked = &r
	}
	return f
}

// published takes a publication over once it is in the log, and removes those before the
// last from the store: whoever was about to fetch the last one still can.
func (p *publisher) published(ctx context.Context, n *publication) error {
	p.mu.Lock()
	before := p.now
	p.bundle, p.trusted, p.now = n.bundle, n.trusted, n.fact.Bundle.SHA256
	p.mu.Unlock()
	return p.store.KeepMetadata(ctx, before, n.fact.Bundle.SHA256)
}

// signed says whether an archive may be ordered at all: nil, or an *events.Reason.
func (p *publisher) signed(t tools.Tools) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trusted.Tools(t)
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
