package statesrv

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
	"github.com/jujube-project/jujube/streams"
)

// toolbox knows what the sources of tools offer, and fetches archives from them. An archive is fetched
// once, however many machines wait for it.
type toolbox struct {
	ctx    context.Context // of the term
	spawn  func(func())    // runs something as part of the term
	store  *bus.ToolStore
	room   *room
	signed func() decide.ArchiveList // what release managers have signed
	writer *writer.Writer
	now    func() time.Time
	logger *slog.Logger
	seen   *streams.SeenFile
	wanted chan tools.Tools // what fetchAll fetches next

	due host.Poke // sent when somebody asks for a look at the sources, or the settings name other ones

	// mu guards the fields below. It is never held while a source is asked or an archive is copied:
	// the writer's goroutine locks it after each commit and must not wait for a source.
	mu         sync.Mutex
	sources    sources
	configured bool               // the settings were read at least once
	next       *look              // the look that has not begun, and for which somebody waits; nil: nobody does
	fetches    map[string]attempt // by sha256 of the archive: those under way, and those that failed
}

// offer is one archive that a source has.
type offer struct {
	source streams.Source
	item   streams.Found
	signer string // of the source's metadata; empty: nobody
}

func newToolbox(store *bus.ToolStore, room *room, seen *streams.SeenFile, now func() time.Time, logger *slog.Logger) *toolbox {
	return &toolbox{
		store: store, room: room, seen: seen, now: now, logger: logger, wanted: make(chan tools.Tools, maxWanted),
		due: host.NewPoke(), fetches: map[string]attempt{},
	}
}

// knownOf is what a decision on an upgrade looks at beside the state.
func knownOf(b *toolbox, p *publisher) decide.Known {
	k := b.known()
	k.Signed = p.signedArchives()
	return k
}

// configure takes over the sources that the settings name, and has them looked at if they have changed. What
// was found in other sources is forgotten. The writer calls it after each commit.
func (b *toolbox) configure(s *projections.State) {
	next := sourcesOf(s, b.seen, b.now)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.configured && b.sources.same(next) {
		return
	}
	b.sources, b.configured = next, true
	b.due.Send()
}

// known is what the sources said when they were asked last. Nobody changes the maps in it.
func (b *toolbox) known() decide.Known {
	b.mu.Lock()
	defer b.mu.Unlock()
	return decide.Known{Offered: b.sources.offered, Marks: b.sources.marks}
}

// find finds the source of an archive, by what the sources said last.
func (b *toolbox) find(t tools.Tools) (offer, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sources.find(t.SHA256)
}

// look is one look at every source, for everybody who asked before it began.
type look struct {
	done  chan struct{} // closed when found is set
	found []sourceListing
}

// askSources gives what every source says now. One look is taken at a time, by watch, however many ask:
// those who ask while one is under way share the next. So what a source sends is in memory once, and a
// source is never asked by two at the same time. It may take as long as two times sourceTimeout, and gives
// nothing if ctx ends before.
func (b *toolbox) askSources(ctx context.Context) []sourceListing {
	b.mu.Lock()
	if b.next == nil {
		b.next = &look{done: make(chan struct{})}
		b.due.Send()
	}
	l := b.next
	b.mu.Unlock()
	select {
	case <-l.done:
		return l.found
	case <-ctx.Done():
		return nil
	}
}

// look asks every source anew. It remembers what was found, unless the settings have changed meanwhile,
// and records which sources are lost or have returned, and what they say of versions. Only watch
// calls it.
func (b *toolbox) look(ctx context.Context) {
	b.mu.Lock()
	asked, l := b.sources, b.next
	b.next = nil
	b.mu.Unlock()
	now := asked.list(ctx, b.now)
	b.mu.Lock()
	if b.sources.same(asked) {
		b.sources.update(now)
	}
	b.mu.Unlock()
	if ctx.Err() == nil {
		b.record(now)
	}
	if l != nil {
		l.found = now
		close(l.done)
	}
}

// record has the log keep which sources are lost, and what sources say of versions.
func (b *toolbox) record(now []sourceListing) {
	listings := make([]decide.Listing, len(now))
	for i, l := range now {
		listings[i] = decide.Listing{Source: l.name, SignedBy: l.SignedBy, Signing: l.Signing, Found: l.Found, Err: l.err}
	}
	b.writer.Submit(writer.Change{Decide: func(at decide.At) (decide.Decision, error) { return decide.Sources(at, listings), nil }})
	for _, l := range listings {
		b.writer.Submit(writer.Change{Decide: func(at decide.At) (decide.Decision, error) { return decide.Marks(at, l), nil }})
	}
}

// watch looks at the sources when somebody asks, when the settings change, at the term's start and every
// hour, so that status says early which cannot be read.
func (b *toolbox) watch(ctx context.Context) {
	again := time.NewTicker(askEvery)
	defer again.Stop()
	for {
		b.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-b.due:
		case <-again.C:
		}
	}
}
