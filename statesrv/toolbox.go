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
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/streams"
)

// toolbox knows what the sources of tools have, and which archives are being fetched
// from them, each once however many machines wait for it.
type toolbox struct {
	store  *bus.ToolStore
	now    func() time.Time
	logger *slog.Logger
	wanted chan tools.Tools

	mu      sync.Mutex
	sources []string // in the order in which they are searched
	stream  string
	found   map[string]found   // by digest: what the sources had when last listed
	fetches map[string]attempt // by digest: under way, or failed
}

type found struct {
	source streams.Source
	item   streams.Found
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

func newToolbox(store *bus.ToolStore, now func() time.Time, logger *slog.Logger) *toolbox {
	return &toolbox{
		store: store, now: now, logger: logger, wanted: make(chan tools.Tools, maxWanted), stream: "released",
		found: map[string]found{}, fetches: map[string]attempt{},
	}
}

// configure takes over the environment's settings after each commit.
func (b *toolbox) configure(s *projections.State, fallback string) {
	var sources []string
	for _, src := range []string{value(s, "agent-metadata-url"), fallback} {
		if src != "" && !slices.Contains(sources, src) {
			sources = append(sources, src)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sources, b.stream = sources, value(s, "agent-stream")
}

// have says whether an archive is stored, or was offered by a source when those were
// last asked. A version that is stored with other bytes is never had: it is not replaced.
func (b *toolbox) have(s *projections.State, t tools.Tools) bool {
	if stored := s.Tools[t.Version.String()]; stored != nil {
		return stored.SHA256 == t.SHA256
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.found[t.SHA256]
	return ok
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
	a.hopeless = errors.Is(err, bus.ErrDigest) || errors.Is(err, errOtherBytes)
	b.fetches[t.SHA256] = a
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
			t.tools.ended(wanted, t.fetchOne(wanted))
		}
	}
}

// fetchOne brings one archive into the object store, and then into the log. The store
// hashes every byte on its way in.
func (t *term) fetchOne(wanted tools.Tools) error {
	there, err := t.tools.store.Has(t.ctx, wanted.SHA256)
	source := "object store"
	if err == nil && !there {
		source, err = t.tools.copy(t.ctx, wanted)
	}
	if err != nil {
		return err
	}
	return t.writer.do(t.ctx, func(d *draft) error { return decideStored(d, wanted, source, "") })
}

func (b *toolbox) copy(ctx context.Context, t tools.Tools) (source string, err error) {
	f, ok := b.offer(t)
	if !ok {
		b.list(ctx)
		if f, ok = b.offer(t); !ok {
			return "", fmt.Errorf("no source has the archive with sha256 %s", t.SHA256)
		}
	}
	body, err := f.source.Fetch(ctx, f.item, 0)
	if err != nil {
		return "", err
	}
	err = b.store.Put(ctx, t, body)
	return f.source.String(), errors.Join(err, body.Close())
}

func (b *toolbox) offer(t tools.Tools) (found, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, ok := b.found[t.SHA256]
	return f, ok
}

// errOtherBytes: a version is stored with other bytes than those that were offered.
var errOtherBytes = errors.New("a version is never replaced")

// decideStored records a complete archive, once.
func decideStored(d *draft, t tools.Tools, source, correlation string) error {
	if old := d.state.Tools[t.Version.String()]; old != nil {
		if old.SHA256 == t.SHA256 {
			return nil
		}
		return fmt.Errorf("%s is stored already, with sha256 %s instead of %s; %w: publish the other build under another number", t.Version, old.SHA256, t.SHA256, errOtherBytes)
	}
	_, err := d.add("", "", correlation, &events.ToolsStored{Tools: t, Source: source})
	return err
}

// list asks every source anew and says which could not be read.
func (b *toolbox) list(ctx context.Context) (lists []FoundTools, problems []string) {
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout)
	defer cancel()
	b.mu.Lock()
	sources, stream := slices.Clone(b.sources), b.stream
	b.mu.Unlock()
	all := map[string]found{}
	lists, problems = []FoundTools{}, []string{}
	for _, base := range sources {
		src, err := streams.Open(base)
		var items []streams.Found
		if err == nil {
			items, err = src.List(ctx, stream)
		}
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		l := FoundTools{Source: base, Tools: []tools.Tools{}}
		for _, it := range items {
			if _, twice := all[it.SHA256]; !twice {
				all[it.SHA256] = found{src, it}
			}
			l.Tools = append(l.Tools, it.Tools)
		}
		lists = append(lists, l)
	}
	b.mu.Lock()
	b.found = all
	b.mu.Unlock()
	return lists, problems
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
		t.tools.list(t.ctx)
	}
}
