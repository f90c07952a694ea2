package tools

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/simplestreams"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/streams"
)

// source is a source of tools, with the listing of one of its streams.
type source struct {
	streams.Source
	streams.Listing
	stream string
}

// openSource opens and lists the named source, or else the first source of the settings that
// can be read. The settings and --allow-unsigned say who is believed.
func (y *syncTools) openSource(ctx context.Context, set map[string]string) (source, error) {
	from := source{stream: y.stream}
	if from.stream == "" {
		from.stream = set["agent-stream"]
	}
	anchors := append(settings.Words(set["tools-signers"]), y.signers...)
	unsigned := append(settings.Words(set["tools-unsigned"]), y.trusted...)
	trust := signing.Trusting(y.app.Store(), anchors, unsigned)
	var faults []error
	for _, base := range y.sources(set) {
		for _, earlier := range faults {
			y.app.Say("WARNING %v; trying %s", earlier, base)
		}
		err := y.listSource(ctx, &from, base, trust)
		if errors.Is(err, tools.ErrExpired) && isDirectory(base) {
			y.app.Say("WARNING %v; it was carried here and is taken all the same: what machines run is signed by this environment", err)
			trust.Now = nil
			err = y.listSource(ctx, &from, base, trust)
		}
		if err == nil {
			return from, nil
		}
		faults = []error{err}
	}
	if len(faults) == 0 {
		return from, errors.New("the environment names no source of tools")
	}
	return from, faults[0]
}

func (y *syncTools) listSource(ctx context.Context, from *source, base string, trust streams.Trust) (err error) {
	if from.Source, err = streams.Open(base, trust); err != nil {
		return err
	}
	y.app.Logger().Debug("reading a source of tools", "source", from.String(), "stream", from.stream)
	from.Listing, err = from.List(ctx, from.stream)
	return err
}

func isDirectory(base string) bool {
	info, err := os.Stat(strings.TrimPrefix(base, "file://"))
	return err == nil && info.IsDir()
}

// sources lists the sources to try, in this order.
func (y *syncTools) sources(set map[string]string) []string {
	if y.source != "" {
		return []string{y.source}
	}
	var list []string
	for _, key := range []string{"agent-metadata-url", "tools-source"} {
		if base := set[key]; base != "" && base != settings.NoSource && !slices.Contains(list, base) {
			list = append(list, base)
		}
	}
	return list
}

// marksWith are the marks of versions as they will be once the environment has heard this source.
//
// What a publisher has said of a version is in c.Said, as the log has it. c.Marks also holds what
// the state server read from its own sources when it looked last: a revocation that its publisher
// has taken back stays in there until the state server looks again. So c.Marks counts only for a
// version of which no publisher has said anything yet.
func marksWith(from source, c wire.Catalogue) []tools.Marked {
	all := simplestreams.Marks(from.Found)
	for _, m := range c.Marks {
		all[m.Version] = all[m.Version].Or(m.Marks)
	}
	publisher := tools.Publisher(from.SignedBy, from.String())
	news := map[version.Number]tools.Marks{}
	for _, m := range newMarks(from, c) {
		news[m.Version] = m.Marks
	}
	for n := range all {
		words := maps.Clone(c.Said[n.String()])
		if words == nil {
			continue
		}
		if m, heard := news[n]; heard {
			words[publisher] = tools.Said{Marks: m, Signing: from.Signing}
		}
		all[n] = tools.SaidBy{n.String(): words}.Of(n)
	}
	return sortedMarks(all)
}

// newMarks are the marks that the environment does not know yet: what this publisher says of a
// version is new to it.
func newMarks(from source, c wire.Catalogue) []tools.Marked {
	said := simplestreams.Marks(from.Found)
	for n, m := range said {
		if !c.Said.News(n, tools.Publisher(from.SignedBy, from.String()), tools.Said{Marks: m, Signing: from.Signing}) {
			delete(said, n)
		}
	}
	return sortedMarks(said)
}

func sortedMarks(said map[version.Number]tools.Marks) []tools.Marked {
	var list []tools.Marked
	for n, m := range said {
		list = append(list, tools.Marked{Version: n, Marks: m})
	}
	slices.SortFunc(list, func(a, b tools.Marked) int { return a.Version.Compare(b.Version) })
	return list
}

// alone gives the settings for a client without an environment. It believes only what it has signed
// itself.
func (y *syncTools) alone() (map[string]string, error) {
	own, err := signing.OwnAnchors(y.app.Store())
	return map[string]string{"agent-stream": "released", "tools-source": settings.PublicSource, "tools-signers": strings.Join(own, " ")}, err
}
