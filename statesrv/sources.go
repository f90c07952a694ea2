package statesrv

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/streams"
)

// sources are where tools are looked for: which they are, who is believed there, and
// what was found when they were last asked.
type sources struct {
	names   []string // in the order in which they are searched
	stream  string
	signers []string // whom trust believes
	trust   streams.Trust
	last    []listed // as the names; nil: not asked yet
}

// listed is what one source said.
type listed struct {
	name string
	streams.Listing
	source streams.Source
	err    error
	until  time.Time // so long an answer that took long is believed
}

// How often sources are asked.
const (
	lookAgain  = time.Hour       // without being asked
	slowSource = 5 * time.Second // an error that took as long as this
	believe    = time.Minute     // is not asked for again so soon
)

// sourcesOf are the sources that the settings name.
func sourcesOf(s *projections.State, seen *streams.SeenFile, now func() time.Time) sources {
	var names []string
	for _, name := range []string{settings.Value(s.Settings, "agent-metadata-url"), settings.Value(s.Settings, "tools-source")} {
		if name != "" && name != settings.NoSource && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	signers := settings.Words(settings.Value(s.Settings, "tools-signers"))
	return sources{
		names: names, stream: settings.Value(s.Settings, "agent-stream"), signers: signers,
		trust: streams.Trust{
			Anchors: signers, Now: now,
			Unsigned: settings.Words(settings.Value(s.Settings, "tools-unsigned")), Seen: seen,
		},
	}
}

// same says whether what was found is still an answer to what is asked.
func (s sources) same(o sources) bool {
	return s.stream == o.stream && slices.Equal(s.names, o.names) && slices.Equal(s.signers, o.signers) && slices.Equal(s.trust.Unsigned, o.trust.Unsigned)
}

// list asks every source anew, one after the other.
func (s sources) list(ctx context.Context, now func() time.Time) []listed {
	all := make([]listed, 0, len(s.names))
	for i, name := range s.names {
		if len(s.last) > i && s.last[i].err != nil && now().Before(s.last[i].until) {
			all = append(all, s.last[i])
			continue
		}
		began := now()
		l := s.ask(ctx, name)
		if l.err != nil && now().Sub(began) >= slowSource {
			l.until = now().Add(believe)
		}
		all = append(all, l)
	}
	return all
}

func (s sources) ask(ctx context.Context, name string) (l listed) {
	ctx, cancel := context.WithTimeout(ctx, sourceTimeout/time.Duration(len(s.names)))
	defer cancel()
	l.name = name
	if l.source, l.err = streams.Open(name, s.trust); l.err == nil {
		l.Listing, l.err = l.source.List(ctx, s.stream)
	}
	return l
}

// offer finds an archive in what was found, in the order of the sources.
func (s sources) offer(digest string) (found, bool) {
	for _, l := range s.last {
		for _, f := range l.Found {
			if f.SHA256 == digest {
				return found{source: l.source, item: f, signer: l.SignedBy}, true
			}
		}
	}
	return found{}, false
}

// marks are what the sources say of versions.
func (s sources) marks() map[version.Number]tools.Marks {
	marks := map[version.Number]tools.Marks{}
	for _, l := range s.last {
		for n, m := range simplestreams.Marks(l.Found) {
			if m != (tools.Marks{}) {
				marks[n] = marks[n].Or(m)
			}
		}
	}
	return marks
}

// marksOf are the marks that hold: what the log knows and what the sources say now.
func marksOf(s *projections.State, said map[version.Number]tools.Marks) map[version.Number]tools.Marks {
	all := map[version.Number]tools.Marks{}
	maps.Copy(all, said)
	for text := range s.Marks {
		if n, err := version.Parse(text); err == nil && s.Marks.Of(n) != (tools.Marks{}) {
			all[n] = all[n].Or(s.Marks.Of(n))
		}
	}
	return all
}

// lookAtSources asks the sources at the term's start, when the settings change, and
// every hour, so that status says early which cannot be read.
func (t *term) lookAtSources() {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		t.listSources()
		select {
		case <-t.ctx.Done():
			return
		case <-t.tools.changed:
		case <-again.C:
		}
	}
}

// listSources asks every source anew, and records which are lost or have returned, and
// what they say of versions.
func (t *term) listSources() []listed {
	now := t.tools.list(t.ctx)
	if t.ctx.Err() == nil {
		t.writer.submit(change{decide: func(d *draft) error { return decideSources(d, now) }})
		for _, l := range now {
			t.writer.submit(change{decide: func(d *draft) error { return decideMarks(d, l) }})
		}
	}
	return now
}

// decideSources records the sources whose state has changed.
func decideSources(d *draft, now []listed) error {
	wrong := map[string]error{}
	for _, l := range now {
		if l.err != nil {
			wrong[l.name] = l.err
		}
	}
	var facts []events.Payload
	for _, name := range sortedKeys(d.state.Lost) {
		if wrong[name] == nil {
			facts = append(facts, &events.SourceReturned{Source: name})
		}
	}
	for _, name := range sortedKeys(wrong) {
		if d.state.Lost[name] == nil {
			facts = append(facts, &events.SourceLost{Source: name, Reason: clip(wrong[name].Error(), maxReason)})
		}
	}
	for _, f := range facts {
		if _, err := d.add("", "", "", f); err != nil {
			return err
		}
	}
	return nil
}

// maxMarks is how many words of a source are recorded at a time; the rest is when it is
// asked again.
const maxMarks = limits.Marks

// decideMarks records what a source says of versions, so that it holds, too, when the
// source is lost.
func decideMarks(d *draft, l listed) error {
	var news []tools.Marked
	for n, m := range simplestreams.Marks(l.Found) {
		if l.err == nil && d.state.Marks.News(n, tools.Publisher(l.SignedBy, l.name), tools.Said{Marks: m, Signing: l.Signing}) {
			news = append(news, tools.Marked{Version: n, Marks: m})
		}
	}
	slices.SortFunc(news, func(a, b tools.Marked) int { return a.Version.Compare(b.Version) })
	for _, m := range news[:min(len(news), maxMarks)] {
		_, err := d.add("", "", "", &events.ToolsMarked{Version: m.Version, Marks: m.Marks, Source: l.name, SignedBy: l.SignedBy, Signing: l.Signing})
		if err != nil {
			return err
		}
	}
	return nil
}

// seenFile is where it is kept what sources have shown.
func (s *Server) seenFile() *streams.SeenFile {
	return &streams.SeenFile{Path: filepath.Join(s.cfg.Dir, "sources-seen.json")}
}
