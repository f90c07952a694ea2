package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

// trust is the signed metadata that the machine believes. New metadata is on the disk, in two
// copies, before it is believed: after a crash the machine never believes less than before.
// A bundle that is refused is reported once, and changes nothing.
type trust struct {
	layout install.Layout
	anchor tuf.Anchor
	bus    Bus
	now    func() time.Time
	tell   func(events.Report)
	logger *slog.Logger

	poke    host.Poke
	renewed host.Poke                             // sent when something newer is believed
	news    atomic.Pointer[events.TrustPublished] // newest; nil once it was taken or refused

	mu      sync.Mutex // held while a bundle is fetched
	have    tuf.Trusted
	refused string // bundle and code that were told last
	stale   int64  // version of the timestamp that was told to be stale
}

// trustedName is what the copies are called.
const trustedName = "trusted"

// openTrust reads what was believed. When neither copy can be used, belief begins anew at
// the root that is pinned in agent.conf, with the next bundle that is published.
func openTrust(l install.Layout, anchor tuf.Anchor, cfg Config, tell func(events.Report)) (*trust, error) {
	t := &trust{layout: l, anchor: anchor, bus: cfg.Bus, now: cfg.Now, tell: tell, logger: cfg.Logger, poke: host.NewPoke(), renewed: host.NewPoke()}
	_, err := l.ReadCopies(trustedName, func(b []byte) error {
		have, err := tuf.ParseTrusted(b)
		if err == nil && have.Anchor() != anchor {
			err = fmt.Errorf("it began at the root %.12s, pinned is %.12s", have.Anchor().SHA256, anchor.SHA256)
		}
		if err == nil {
			t.have = have
		}
		return err
	})
	switch {
	case errors.Is(err, install.ErrNoCopy):
		cfg.Logger.Error("what was trusted cannot be read; it begins anew at the pinned root", "err", err)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return t, nil
}

// published notes the newest record of what is published, and wakes run. It does not block.
func (t *trust) published(p *events.TrustPublished) {
	t.news.Store(p)
	t.poke.Send()
}

// trustJitter spreads a fleet's fetches of a bundle that was just published.
const trustJitter = 20 * time.Second

// run takes what is published until ctx ends, and tells when nothing newer comes.
func (t *trust) run(ctx context.Context) {
	for {
		select {
		case <-t.poke:
			if !t.idle() && host.Wait(ctx, rand.N(trustJitter)) != nil {
				return
			}
		case <-time.After(t.untilStale()):
		case <-ctx.Done():
			return
		}
		if metadataPauses.Retry(ctx, func() error { return t.refresh(ctx) }) != nil {
			return
		}
		t.tellStale()
	}
}

// idle says that there is no reason to spread the fetches of a fleet: nothing is believed yet,
// so that every order waits for it, or nothing has to be fetched.
func (t *trust) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	news := t.news.Load()
	return t.have.IsZero() || news == nil || t.onlyTimestamp(news)
}

// Present first tries to take what is known to be published, and then returns what is
// believed. Orders are checked against it.
func (t *trust) Present(ctx context.Context) tuf.Trusted {
	if err := t.refresh(ctx); err != nil {
		t.logger.Warn("fetching signed metadata; going by what is believed", "err", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.have
}

// refresh takes the newest bundle that is published. It returns an error if the bundle could
// not be fetched or written, which may go well the next time. A bundle that is refused is no
// error: it is reported, and would be refused again.
func (t *trust) refresh(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	news := t.news.Load()
	if news == nil || t.anchor.SHA256 == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	bundle, err := t.bundleOf(ctx, news)
	if err == nil {
		err = t.take(bundle)
	}
	switch {
	case events.CodeOf(err) != "":
		t.tellRefused(news.Bundle.SHA256, err)
	case err != nil:
		return err
	}
	t.news.CompareAndSwap(news, nil)
	return nil
}

// fetchTime is how long one try to fetch a bundle may take.
const fetchTime = time.Minute

// take accepts a bundle and keeps what is accepted, in as many cycles as its roots need.
func (t *trust) take(b tuf.Bundle) error {
	for {
		next, refusal := t.update(b)
		if refusal != nil && events.CodeOf(refusal) != events.CodeTUFTooManyRoots {
			return refusal
		}
		if err := t.keep(next); err != nil || refusal == nil {
			return err
		}
	}
}

func (t *trust) update(b tuf.Bundle) (tuf.Trusted, error) {
	if !t.have.IsZero() {
		return t.have.Update(b, t.now())
	}
	begun, err := tuf.Begin(t.anchor, b.Root(t.anchor))
	if err != nil {
		return t.have, err
	}
	return begun.Update(b, t.now())
}

// keep makes durable what is then believed.
func (t *trust) keep(next tuf.Trusted) error {
	if b := next.Marshal(); !bytes.Equal(b, t.have.Marshal()) {
		if err := t.layout.WriteCopies(trustedName, b); err != nil {
			return err
		}
		defer t.renewed.Send() // once it is believed
	}
	t.have = next
	return nil
}

// onlyTimestamp says that the record itself brings all that is new.
func (t *trust) onlyTimestamp(p *events.TrustPublished) bool {
	v := t.have.Versions()
	v.Timestamp = p.Version.Timestamp
	return v == p.Version
}

// bundleOf gives what was published: made from the record where only the timestamp is new,
// else fetched, no more of it than was said, and compared with its digest.
func (t *trust) bundleOf(ctx context.Context, p *events.TrustPublished) (tuf.Bundle, error) {
	if t.onlyTimestamp(p) {
		return t.have.With(p.Timestamp), nil
	}
	w := &capped{left: p.Bundle.Size}
	if _, err := t.bus.Fetch(ctx, p.Bundle.SHA256, 0, w); err != nil {
		return tuf.Bundle{}, fmt.Errorf("fetch the signed metadata: %w", err)
	}
	if got := tuf.AnchorOf(w.b.Bytes()).SHA256; got != p.Bundle.SHA256 {
		return tuf.Bundle{}, fmt.Errorf("fetch the signed metadata: it has the digest %.12s, not %.12s", got, p.Bundle.SHA256)
	}
	return tuf.ParseBundle(w.b.Bytes())
}

// capped is a writer that takes so many bytes, and fails at the next one.
type capped struct {
	b    bytes.Buffer
	left int64
}

func (c *capped) Write(b []byte) (int, error) {
	if c.left -= int64(len(b)); c.left < 0 {
		return 0, install.ErrSize
	}
	return c.b.Write(b)
}

// tellRefused reports each refusal of a bundle once.
func (t *trust) tellRefused(bundle string, err error) {
	t.logger.Error("the published metadata is not believed; nothing was changed", "bundle", bundle, "err", err)
	code := events.CodeOf(err)
	if t.refused == bundle+code {
		return
	}
	t.refused = bundle + code
	text := err.Error()
	t.tell(&events.TrustRefused{Bundle: bundle, Code: code, Text: text[:min(len(text), 4000)]})
}

// staleAfter is when four fifths of the timestamp's life are over. Source: SECURITY.md §6.3.
func (t *trust) staleAfter() (version int64, at, ends time.Time) {
	ends, _ = t.have.Expires()
	made := t.have.Made()
	if ends.IsZero() || made.IsZero() {
		return 0, time.Time{}, time.Time{}
	}
	return t.have.Versions().Timestamp, made.Add(ends.Sub(made) / 5 * 4), ends
}

// untilStale is how long nothing has to be told; an hour when nothing ever has.
func (t *trust) untilStale() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	version, at, _ := t.staleAfter()
	if version == 0 || version == t.stale {
		return time.Hour
	}
	return min(max(at.Sub(t.now()), time.Second), time.Hour)
}

func (t *trust) tellStale() {
	t.mu.Lock()
	defer t.mu.Unlock()
	version, at, ends := t.staleAfter()
	if version == 0 || version == t.stale || t.have.Now(t.now()).Before(at) {
		return
	}
	t.stale = version
	t.tell(&events.TrustStale{Timestamp: version, Ends: ends})
}
