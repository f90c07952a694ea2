package statesrv

import (
	"context"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// judged lets a request that wants a staged bundle published be judged. The publication is
// made before, outside of the writer: it takes signing, and storing the bundle. submit hands
// the request to the writer with what was made, and waits until it is judged.
func (p *publisher) judged(ctx context.Context, o events.Object, submit func(n *events.TrustPublished, err error) error) {
	p.making.Lock()
	defer p.making.Unlock()
	n, err := p.prepare(ctx, o)
	var fact *events.TrustPublished
	if n != nil {
		fact = &n.fact
	}
	if submit(fact, err) != nil || n == nil {
		return
	}
	inForce := false
	look := p.writer.Look(ctx, func(s *projections.State) { inForce = s.Trust.Bundle == n.fact.Bundle })
	if look == nil && inForce {
		p.take(ctx, n)
	}
}

// prepare makes a publication of what was staged; nil: nothing was.
func (p *publisher) prepare(ctx context.Context, o events.Object) (*publication, error) {
	data, ok := p.staging.take(o)
	if !ok {
		return nil, nil
	}
	b, err := tuf.ParseBundle(data)
	if err != nil {
		return nil, err
	}
	return p.follow(ctx, b)
}

// follow makes a publication that follows on what is published.
func (p *publisher) follow(ctx context.Context, b tuf.Bundle) (*publication, error) {
	var st *projections.State
	if err := p.writer.Look(ctx, func(s *projections.State) { st = s.Clone() }); err != nil {
		return nil, err
	}
	return p.next(ctx, st, b, p.now())
}

func (p *publisher) take(ctx context.Context, n *publication) {
	if err := p.published(ctx, n); err != nil && ctx.Err() == nil {
		p.logger.Warn("removing old metadata", "err", err)
	}
}

// freshEvery is how often the state server looks whether metadata must be signed anew.
const freshEvery = time.Minute

// keepFresh signs the timestamp, and the snapshot, anew when half of their life is over.
func (p *publisher) keepFresh(ctx context.Context) {
	ticker := time.NewTicker(freshEvery)
	defer ticker.Stop()
	for {
		if err := p.freshen(ctx); err != nil && ctx.Err() == nil {
			p.logger.Warn("signing metadata anew", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-p.due:
		}
	}
}

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
	err = p.writer.Do(ctx, func(decide.At) (decide.Decision, error) { return decide.Published(&n.fact), nil })
	if err == nil {
		p.take(ctx, n)
	}
	return err
}

// configure has keepFresh look at once when the settings give timestamps another life. The
// writer calls it after each commit.
func (p *publisher) configure(s *projections.State) {
	life := decide.Lives(s).Timestamp
	if life == p.life {
		return
	}
	p.life = life
	p.due.Send()
}
