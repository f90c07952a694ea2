package statesrv

import (
	"context"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// publishStaged makes a publication of the bundle that a request names, and has the request judged.
// The publication is made before and outside of the writer's goroutine, because signing and storing
// take time. submit hands the request to the writer, with the publication or with the reason why
// there is none, and waits until it is judged. The publication is adopted only if the log then says
// that it is in force: the request may have been refused.
func (p *publisher) publishStaged(ctx context.Context, o events.Object, submit func(n *decide.Publication, err error) error) {
	p.making.Lock()
	defer p.making.Unlock()
	n, err := p.prepare(ctx, o)
	var made *decide.Publication
	if n != nil {
		made = n.publication()
	}
	if submit(made, err) != nil || n == nil {
		return
	}
	inForce := false
	look := p.writer.Look(ctx, func(s *projections.State) { inForce = s.Trust.Bundle == n.fact.Bundle })
	if look == nil && inForce {
		p.adoptOrWarn(ctx, n)
	}
}

// prepare makes a publication of a staged bundle. It gives nil if the bundle was not staged here.
func (p *publisher) prepare(ctx context.Context, o events.Object) (*publication, error) {
	data, ok := p.staging.claim(o)
	if !ok {
		return nil, nil
	}
	b, err := tuf.ParseBundle(data)
	if err != nil {
		return nil, err
	}
	return p.follow(ctx, b)
}

// follow makes a publication of a bundle, on the committed state.
func (p *publisher) follow(ctx context.Context, b tuf.Bundle) (*publication, error) {
	var st *projections.State
	if err := p.writer.Look(ctx, func(s *projections.State) { st = s.Clone() }); err != nil {
		return nil, err
	}
	return p.next(ctx, st, b, p.now())
}

// adoptOrWarn adopts a publication that is in the log. What can fail is only removing old metadata
// from the store, which the next publication repeats.
func (p *publisher) adoptOrWarn(ctx context.Context, n *publication) {
	if err := p.adopt(ctx, n); err != nil && ctx.Err() == nil {
		p.logger.Warn("removing old metadata", "err", err)
	}
}

// freshEvery is how often keepFresh looks whether the metadata must be signed again.
const freshEvery = time.Minute

// keepFresh publishes the metadata again, with a new timestamp and snapshot, when half of their life
// is over. It runs until ctx ends.
func (p *publisher) keepFresh(ctx context.Context) {
	ticker := time.NewTicker(freshEvery)
	defer ticker.Stop()
	for {
		if err := p.freshen(ctx); err != nil && ctx.Err() == nil {
			p.logger.Warn("signing the metadata again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-p.due:
		}
	}
}

// freshen publishes the current bundle again if that is due.
func (p *publisher) freshen(ctx context.Context) error {
	p.making.Lock()
	defer p.making.Unlock()
	var due bool
	err := p.writer.Look(ctx, func(s *projections.State) { due = decide.MustFreshen(s, p.now()) })
	if err != nil || !due {
		return err
	}
	n, err := p.follow(ctx, p.current())
	if err != nil {
		return err
	}
	err = p.writer.Do(ctx, func(at decide.At) (decide.Decision, error) { return decide.Published(at, n.publication()), nil })
	if err == nil {
		p.adoptOrWarn(ctx, n)
	}
	return err
}

// configure wakes keepFresh when the settings give timestamps another life. The writer calls it after
// each commit.
func (p *publisher) configure(s *projections.State) {
	life := decide.Lives(s).Timestamp
	if life == p.life {
		return
	}
	p.life = life
	p.due.Send()
}
