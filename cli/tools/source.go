package tools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
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

// openSource opens and lists the named source, or else the first source of the publishers that can be
// read. Nobody else is believed than these publishers and what was typed.
func (y *syncTools) openSource(ctx context.Context, believed events.Publishers) (source, error) {
	from := source{stream: cmp.Or(y.stream, believed.Stream, "released")}
	names := believed.Sources
	if y.source != "" {
		names = []string{y.source}
	}
	believed.Signers = slices.Concat(believed.Signers, y.signers)
	believed.Unsigned = slices.Concat(believed.Unsigned, y.trusted)
	trust := signing.Trusting(y.app.Store(), believed)
	var faults []error
	for _, base := range names {
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
		return from, errors.New("nobody has signed a source of tools for this environment; --source names one")
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

// unsigned names what the settings of an environment, as the state server tells them, say of publishers
// and sources that no release manager has signed. Whoever has the state server can write settings.
func unsigned(signed events.Publishers, told wire.EnvironmentInfo) (faults []string) {
	for _, c := range []struct {
		key    string
		signed []string
	}{
		{"agent-metadata-url", signed.Sources},
		{"tools-source", signed.Sources},
		{"tools-signers", signed.Signers},
		{"tools-unsigned", signed.Unsigned},
		{"agent-stream", []string{cmp.Or(signed.Stream, "released")}},
	} {
		value := told.Settings[c.key]
		if !slices.Contains(told.Set, c.key) || value == strings.Join(c.signed, " ") {
			continue
		}
		for _, word := range settings.Words(value) {
			if word != settings.NoSource && !slices.Contains(c.signed, word) {
				faults = append(faults, fmt.Sprintf("the state server tells of the setting %s=%s, which no release manager has signed", c.key, word))
			}
		}
	}
	return faults
}

// onlySigned refuses settings that nobody has signed, unless a source is typed. They are never believed.
func (y *syncTools) onlySigned(signed events.Publishers, told wire.EnvironmentInfo) error {
	faults := unsigned(signed, told)
	if len(faults) > 0 && y.source == "" {
		return app.Fail(errors.New(strings.Join(faults, "\n  ")), "Nothing was copied.",
			"if it is meant, sign it: juju trust publishers; juju sync-tools --source DIR|URL --stream STREAM takes what you type, for once")
	}
	for _, f := range faults {
		y.app.Say("WARNING %s; it is not believed", f)
	}
	return nil
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
