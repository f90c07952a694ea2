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
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/streams"
)

// Catalogue is the answer to the query "tools".
type Catalogue struct {
	Stored   []tools.Tools `json:"stored"`
	Sources  []FoundTools  `json:"sources"`
	Problems []string      `json:"problems"` // sources that could not be read, and why
	InUse    []Platform    `json:"in_use"`
}

// FoundTools is what one source has.
type FoundTools struct {
	Source string        `json:"source"`
	Tools  []tools.Tools `json:"tools"`
}

// Platform is a series and architecture with the machines that run it.
type Platform struct {
	Platform string   `json:"platform"` // "trusty-amd64"
	Machines []string `json:"machines"` // tags
}

// toolbox fetches archives that an upgrade needs and the store lacks, each once however
// many machines wait for it.
type toolbox struct {
	store  *bus.ToolStore
	submit func(context.Context, change) error
	logger *slog.Logger

	mu       sync.Mutex
	sources  []string // in the order in which they are searched
	stream   string
	found    map[string]found // by digest: what the sources had when last listed
	fetching map[string]bool
	retryAt  map[string]time.Time
	fetch    chan tools.Tools
}

type found struct {
	source streams.Source
	item   streams.Found
}

func newToolbox(store *bus.ToolStore, submit func(context.Context, change) error, logger *slog.Logger) *toolbox {
	return &toolbox{
		store: store, submit: submit, logger: logger, stream: "released",
		found: map[string]found{}, fetching: map[string]bool{}, retryAt: map[string]time.Time{},
		fetch: make(chan tools.Tools, 64),
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

// known says whether a source offered the archive when it was last asked.
func (b *toolbox) known(sha256 string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.found[sha256]
	return ok
}

// retryFetch is how long a failed fetch is left alone.
const retryFetch = 10 * time.Second

// want has the archive fetched, unless that is under way already.
func (b *toolbox) want(t tools.Tools) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fetching[t.SHA256] || time.Now().Before(b.retryAt[t.SHA256]) {
		return
	}
	select {
	case b.fetch <- t:
		b.fetching[t.SHA256] = true
	default:
	}
}

// run fetches what is wanted until ctx ends.
func (b *toolbox) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-b.fetch:
			err := b.fetchOne(ctx, t)
			b.mu.Lock()
			delete(b.fetching, t.SHA256)
			if err != nil {
				b.retryAt[t.SHA256] = time.Now().Add(retryFetch)
				b.logger.Warn("fetching tools", "tools", t.Version.String(), "err", err)
			}
			b.mu.Unlock()
		}
	}
}

func (b *toolbox) fetchOne(ctx context.Context, t tools.Tools) error {
	b.mu.Lock()
	f, ok := b.found[t.SHA256]
	b.mu.Unlock()
	if !ok {
		b.list(ctx)
		b.mu.Lock()
		f, ok = b.found[t.SHA256]
		b.mu.Unlock()
	}
	if !ok {
		return fmt.Errorf("no source has the archive with sha256 %s", t.SHA256)
	}
	body, err := f.source.Fetch(ctx, f.item, 0)
	if err != nil {
		return err
	}
	err = b.store.Put(ctx, t, body)
	if err = errors.Join(err, body.Close()); err != nil {
		return err
	}
	return b.submit(ctx, stored(t, f.source.String(), ""))
}

// stored is the change that records a complete archive, once.
func stored(t tools.Tools, source, actor string) change {
	return change{decide: func(d *draft) error { return decideStored(d, t, source, actor, "") }}
}

func decideStored(d *draft, t tools.Tools, source, actor, correlation string) error {
	if old := d.state.Tools[t.Version.String()]; old != nil {
		if old.SHA256 == t.SHA256 {
			return nil
		}
		return fmt.Errorf("%s is stored already, with sha256 %s instead of %s; a version is never replaced: publish the other build under another number", t.Version, old.SHA256, t.SHA256)
	}
	_, err := d.add(actor, "", correlation, &events.ToolsStored{Tools: t, Source: source})
	return err
}

// list asks every source anew and says which could not be read.
func (b *toolbox) list(ctx context.Context) (lists []FoundTools, problems []string) {
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

// haveTools says whether an archive is stored or can be fetched.
func (s *Server) haveTools(sha256 string) bool {
	for _, t := range s.writer.state.Tools {
		if t.SHA256 == sha256 {
			return true
		}
	}
	return s.tools.known(sha256)
}

// catalogueOf is the stored part of a Catalogue.
func catalogueOf(s *projections.State) Catalogue {
	c := Catalogue{Stored: []tools.Tools{}, Sources: []FoundTools{}, Problems: []string{}, InUse: []Platform{}}
	for _, t := range s.Tools {
		c.Stored = append(c.Stored, t.Tools)
	}
	slices.SortFunc(c.Stored, func(a, b tools.Tools) int { return compareBinary(a.Version, b.Version) })
	machines := map[string][]string{}
	for _, id := range aliveMachines(s) {
		p := s.Machines[id].Version.Platform()
		machines[p] = append(machines[p], events.MachineTag(id))
	}
	for _, p := range sortedKeys(machines) {
		c.InUse = append(c.InUse, Platform{Platform: p, Machines: machines[p]})
	}
	return c
}

func compareBinary(a, b version.Binary) int {
	if c := a.Number.Compare(b.Number); c != 0 {
		return c
	}
	if a.Platform() < b.Platform() {
		return -1
	}
	return 1
}
