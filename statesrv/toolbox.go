package statesrv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/streams"
)

// toolbox knows what the sources of tools have, and which archives are being fetched
// from them, each once however many machines wait for it.
type toolbox struct {
	store   *bus.ToolStore
	now     func() time.Time
	logger  *slog.Logger
	seen    *streams.SeenFile
	wanted  chan tools.Tools
	changed host.Poke // sent when the settings name other sources

	mu         sync.Mutex
	sources    sources
	configured bool
	fetches    map[string]attempt // by digest: under way, or failed
}

// found is one archive that a source offers.
type found struct {
	source streams.Source
	item   streams.Found
	signer string // of the source's metadata; empty: nobody
}

// attempt is how fetching one archive goes.
type attempt struct {
	tools    tools.Tools
	since    time.Time // the first try
	again    time.Time // when it may be tried again; zero: it is under way
	err      error     // of the last try
	hopeless bool      // trying again would end in the same way
}

// maxWanted is how many archives wait to be fetched; what does not fit is wanted again.
const maxWanted = 64

func newToolbox(store *bus.ToolStore, seen *streams.SeenFile, now func() time.Time, logger *slog.Logger) *toolbox {
	return &toolbox{
		store: store, seen: seen, now: now, logger: logger, wanted: make(chan tools.Tools, maxWanted),
		changed: host.NewPoke(), fetches: map[string]attempt{},
	}
}

// configure takes over the environment's settings after each commit.
func (b *toolbox) configure(s *projections.State) {
	next := sourcesOf(s, b.seen, b.now)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.configured && b.sources.same(next) {
		return
	}
	b.sources, b.configured = next, true
	b.changed.Send()
}

// have says whether an archive is stored, or was offered by a source when those were
// last asked. A version that is stored with other bytes is never had: it is not replaced.
func (b *toolbox) have(s *projections.State, t tools.Tools) bool {
	if stored := s.Tools[t.Version.String()]; stored != nil {
		return stored.SHA256 == t.SHA256
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.sources.offer(t.SHA256)
	return ok
}

// said is what the sources say of versions.
func (b *toolbox) said() map[version.Number]tools.Marks {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sources.marks()
}

// retryFetch is how long a failed fetch is left alone.
const retryFetch = 10 * time.Second

// want has the archive fetched, unless that is under way already.
func (b *toolbox) want(t tools.Tools) {
	b.mu.Lock()
	defer b.mu.Unlock()
	a, tried := b.fetches[t.SHA256]
	if tried && (a.again.IsZero() || b.now().Before(a.again)) {
		return
	}
	if !tried {
		a = attempt{tools: t, since: b.now()}
	}
	select {
	case b.wanted <- t:
		a.again = time.Time{}
		b.fetches[t.SHA256] = a
	default:
	}
}

// ended notes how a fetch went.
func (b *toolbox) ended(t tools.Tools, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil {
		delete(b.fetches, t.SHA256)
		return
	}
	b.logger.Warn("fetching tools", "tools", t.Version.String(), "err", err)
	a := b.fetches[t.SHA256]
	a.again, a.err = b.now().Add(retryFetch), err
	a.hopeless = hopeless(err)
	b.fetches[t.SHA256] = a
}

// hopeless says that the bytes are wrong, so that another try would end in the same way. A
// source that broke off may do better.
func hopeless(err error) bool {
	switch {
	case errors.Is(err, streams.ErrLength), errors.Is(err, archive.ErrArchive), errors.Is(err, errOtherBytes):
		return true
	case errors.Is(err, streams.ErrSource):
		return false
	}
	return errors.Is(err, bus.ErrDigest)
}

// gaveUp says why an archive will not come: it is not what it should be, or it could
// not be had for as long as patience. Whoever asks for it again later starts afresh.
func (b *toolbox) gaveUp(t tools.Tools, patience time.Duration) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.fetches[t.SHA256]
	if a.err == nil || a.again.IsZero() || (!a.hopeless && b.now().Sub(a.since) < patience) {
		return nil
	}
	delete(b.fetches, t.SHA256)
	return a.err
}

// problems are the fetches that failed and were not given up.
func (b *toolbox) problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var texts []string
	for _, digest := range sortedKeys(b.fetches) {
		if a := b.fetches[digest]; a.err != nil {
			texts = append(texts, fmt.Sprintf("fetching tools %s: %v", a.tools.Version, a.err))
		}
	}
	return texts
}

// fetchTools fetches what is wanted until the term ends.
func (t *term) fetchTools() {
	for {
		select {
		case <-t.ctx.Done():
			return
		case wanted := <-t.tools.wanted:
			err := t.fetchOne(wanted)
			if errors.Is(err, streams.ErrSource) {
				t.listSources() // status says it, if the source is lost
			}
			t.tools.ended(wanted, err)
			if err != nil {
				t.writer.submit(change{decide: func(d *draft) error { return decideMissed(d, wanted, err) }})
			}
		}
	}
}

// fetchOne brings one archive into the object store, and then into the log. The store
// hashes every byte on its way in.
func (t *term) fetchOne(wanted tools.Tools) error {
	stored := events.ToolsStored{Tools: wanted, Source: "object store"}
	there, err := t.tools.store.Has(t.ctx, wanted.SHA256)
	if err == nil && !there {
		var f found
		f, err = t.copyFromSource(wanted)
		if err == nil {
			stored.Source, stored.SignedBy, stored.Unsigned = f.source.String(), f.signer, f.signer == ""
		}
	}
	if err != nil {
		return err
	}
	return t.writer.do(t.ctx, func(d *draft) error { return decideStored(d, stored, "") })
}

func (t *term) copyFromSource(wanted tools.Tools) (found, error) {
	f, ok := t.tools.offer(wanted)
	if !ok {
		t.listSources()
		if f, ok = t.tools.offer(wanted); !ok {
			return f, fmt.Errorf("no source has the archive with sha256 %s; hand it over from a client: juju sync-tools --version %d.%d",
				wanted.SHA256, wanted.Version.Major, wanted.Version.Minor)
		}
	}
	body, err := f.source.Fetch(t.ctx, f.item, 0)
	if err != nil {
		return f, err
	}
	err = t.tools.store.Put(t.ctx, wanted, body, inspection(wanted))
	return f, errors.Join(err, body.Close())
}

func (b *toolbox) offer(t tools.Tools) (found, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sources.offer(t.SHA256)
}

// decideMissed records, once, why an archive of the upgrade could not be fetched.
func decideMissed(d *draft, t tools.Tools, why error) error {
	if u := d.state.Upgrade; u == nil || u.Missed[t.Version.String()] != "" || u.Artefacts[t.Version.Platform()] != t {
		return nil
	}
	_, err := d.add("", d.state.Upgrade.ID, d.state.Upgrade.ID, &events.ToolsMissed{Tools: t, Reason: clip(why.Error(), maxReason)})
	return err
}

// errOtherBytes: a version is stored with other bytes than those that were offered.
var errOtherBytes = errors.New("a version is never replaced")

// decideStored records a complete archive, once.
func decideStored(d *draft, stored events.ToolsStored, correlation string) error {
	if d.state.Tools[stored.Tools.Version.String()] != nil {
		return replaces(d.state, stored.Tools)
	}
	_, err := d.add("", "", correlation, &stored)
	return err
}

// list asks every source anew, and remembers what was found unless the settings have
// changed meanwhile.
func (b *toolbox) list(ctx context.Context) []listed {
	b.mu.Lock()
	asked := b.sources
	b.mu.Unlock()
	now := asked.list(ctx, b.now)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sources.same(asked) {
		b.sources.last = now
	}
	return now
}

// lookForTools asks the sources again when an upgrade names archives that are not
// known: the request may be older than this term.
func (t *term) lookForTools(r bus.Request) {
	_, ask, err := events.ParseSigned(r.Data)
	if err == nil && ask.Upgrade != nil {
		t.lookFor(ask.Upgrade.Artefacts)
	}
}

func (t *term) lookFor(wanted []tools.Tools) {
	missing := false
	err := t.writer.look(t.ctx, func(st *projections.State) {
		missing = slices.ContainsFunc(wanted, func(w tools.Tools) bool { return !t.tools.have(st, w) })
	})
	if err == nil && missing {
		t.listSources()
	}
}
