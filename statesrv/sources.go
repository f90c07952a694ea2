package statesrv

import (
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/streams"
)

// sources are the places where tools are looked for: which they are, whose signature is believed there,
// and what was found when they were asked last.
type sources struct {
	names   []string // in the order in which they are searched
	stream  string
	signers []string // whom trust believes
	trust   streams.Trust
	last    []sourceListing // what each of names said; nil: they were not asked yet

	// offered and marks are made from last. They are replaced and never changed, so a reader may keep
	// them without the lock.
	offered map[string]bool                // digests of archives
	marks   map[version.Number]tools.Marks // what is said of versions
}

// sourceListing is what one source said.
type sourceListing struct {
	name string
	streams.Listing
	source streams.Source
	err    error
	until  time.Time // before that, a source that was slow to fail is not asked again
}

// How often sources are asked.
const (
	askEvery   = time.Hour       // even if nobody needs anything
	slowSource = 5 * time.Second // a source that takes longer than this to fail
	restSource = time.Minute     // is left alone for so long
)

// sourcesOf are the source that the setting agent-metadata-url names, and those of the publishers.
func sourcesOf(s *projections.State, seen *streams.SeenFile, now func() time.Time) sources {
	p := s.Publishers()
	var names []string
	for _, name := range append([]string{settings.Value(s.Settings, "agent-metadata-url")}, p.Sources...) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return sources{
		names: names, stream: settings.Value(s.Settings, "agent-stream"), signers: p.Signers,
		trust: streams.Trust{Anchors: p.Signers, Now: now, Unsigned: p.Unsigned, Seen: seen},
	}
}

// same says whether s and o ask the same sources for the same, so that what was found for one holds for
// the other.
func (s sources) same(o sources) bool {
	return s.stream == o.stream && slices.Equal(s.names, o.names) && slices.Equal(s.signers, o.signers) && slices.Equal(s.trust.Unsigned, o.trust.Unsigned)
}

// list asks every source, one after the other. A source that was slow to fail a moment ago is not asked
// again: its last failure stands.
func (s sources) list(ctx context.Context, now func() time.Time) []sourceListing {
	all := make([]sourceListing, 0, len(s.names))
	for i, name := range s.names {
		if len(s.last) > i && s.last[i].err != nil && now().Before(s.last[i].until) {
			all = append(all, s.last[i])
			continue
		}
		began := now()
		l := s.ask(ctx, name)
		if l.err != nil && now().Sub(began) >= slowSource {
			l.until = now().Add(restSource)
		}
		all = append(all, l)
	}
	return all
}

// ask asks one source. Each has an equal part of sourceTimeout.
func (s sources) ask(ctx context.Context, name string) (l sourceListing) {
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout/time.Duration(len(s.names)))
	defer cancel()
	l.name = name
	if l.source, l.err = streams.Open(name, s.trust); l.err == nil {
		l.Listing, l.err = l.source.List(ctx, s.stream)
	}
	return l
}

// find finds the first source, in their order, that offers an archive.
func (s sources) find(digest string) (offer, bool) {
	for _, l := range s.last {
		for _, f := range l.Found {
			if f.SHA256 == digest {
				return offer{source: l.source, item: f, signer: l.SignedBy}, true
			}
		}
	}
	return offer{}, false
}

// update takes over what the sources have said.
func (s *sources) update(now []sourceListing) {
	s.last, s.offered, s.marks = now, map[string]bool{}, map[version.Number]tools.Marks{}
	for _, l := range now {
		for _, f := range l.Found {
			s.offered[f.SHA256] = true
		}
		for n, m := range simplestreams.Marks(l.Found) {
			if m != (tools.Marks{}) {
				s.marks[n] = s.marks[n].Or(m)
			}
		}
	}
}

// seenFile keeps which versions of its metadata each source has shown, so that a source cannot go back
// to an older one.
func (s *Server) seenFile() *streams.SeenFile {
	return &streams.SeenFile{Path: filepath.Join(s.cfg.Dir, "sources-seen.json")}
}
