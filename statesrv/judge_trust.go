package statesrv

import (
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/projections"
)

// judgeTrust publishes what was staged, if it was found good.
func judgeTrust(q *inquiry) verdict {
	switch {
	case q.ask.Trust == nil:
		return verdict{reasons: refuse(codeMalformed, "the request names no bundle")}
	case events.CodeOf(q.unpublishable) != "":
		return verdict{reasons: reasonsOf(q.unpublishable)}
	case q.unpublishable != nil:
		return verdict{reasons: refuse(codeMalformed, "the bundle cannot be published: %v", q.unpublishable)}
	case q.publication == nil:
		return verdict{reasons: refuse(codeTrustMissing, "the bundle %.12s… was not staged here, or another state server leads by now: hand it over again", q.ask.Trust.Bundle.SHA256)}
	}
	return verdict{decided: []events.Payload{&q.publication.fact}}
}

// decideTrust judges a request to publish. What it needs is made before, outside of the
// writer: signing, and storing the bundle.
func (t *term) decideTrust(r bus.Request, o events.Object) {
	t.publisher.making.Lock()
	defer t.publisher.making.Unlock()
	n, err := t.prepare(o)
	decided := false
	stored := t.writer.do(t.ctx, func(d *draft) error {
		decided = false
		if err := t.decideRequestWith(d, r, func(q *inquiry) { q.publication, q.unpublishable = n, err }); err != nil {
			return err
		}
		for _, rec := range d.staged {
			decided = decided || rec.Kind == (*events.TrustPublished)(nil).Kind()
		}
		return nil
	})
	if stored == nil && decided {
		t.took(n)
	}
}

// prepare makes a publication of what was staged; nil: nothing was.
func (t *term) prepare(o events.Object) (*publication, error) {
	data, ok := t.staging.take(o)
	if !ok {
		return nil, nil
	}
	b, err := tuf.ParseBundle(data)
	if err != nil {
		return nil, err
	}
	return t.follow(b)
}

func (t *term) follow(b tuf.Bundle) (n *publication, err error) {
	var st *projections.State
	if err := t.writer.look(t.ctx, func(s *projections.State) { st = s.Clone() }); err != nil {
		return nil, err
	}
	return t.publisher.next(t.ctx, st, b, t.cfg.Now())
}

func (t *term) took(n *publication) {
	if err := t.publisher.published(t.ctx, n); err != nil && t.ctx.Err() == nil {
		t.cfg.Logger.Warn("removing old metadata", "err", err)
	}
}

// freshEvery is how often the state server looks whether metadata must be signed anew.
const freshEvery = time.Minute

// keepFresh signs the timestamp, and the snapshot, anew when half of their life is over.
func (t *term) keepFresh() {
	ticker := time.NewTicker(freshEvery)
	defer ticker.Stop()
	for {
		if err := t.freshen(); err != nil && t.ctx.Err() == nil {
			t.cfg.Logger.Warn("signing metadata anew", "err", err)
		}
		select {
		case <-t.ctx.Done():
			return
		case <-ticker.C:
		case <-t.refresh:
		}
	}
}

// pokeRefresh has keepFresh look at once.
func (t *term) pokeRefresh() {
	t.refresh.Send()
}

func (t *term) freshen() error {
	t.publisher.making.Lock()
	defer t.publisher.making.Unlock()
	var due bool
	if err := t.writer.look(t.ctx, func(s *projections.State) { due = mustFreshen(s, t.cfg.Now()) }); err != nil || !due {
		return err
	}
	n, err := t.follow(t.publisher.current())
	if err != nil {
		return err
	}
	err = t.writer.do(t.ctx, func(d *draft) error {
		_, err := d.add("", "", "", &n.fact)
		return err
	})
	if err == nil {
		t.took(n)
	}
	return err
}

// mustFreshen: half the life that the settings give is over, or the present one is longer.
func mustFreshen(s *projections.State, now time.Time) bool {
	life := lives(s).Timestamp
	left := s.Trust.Fresh.Sub(now)
	return left < life/2 || left > life
}
