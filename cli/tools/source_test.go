package tools

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/streams"
)

// directory is a source that is only a name.
type directory struct{ streams.Source }

func (directory) String() string { return "/stick" }

// What a source takes back counts at once, though the state server has not looked again. What
// another publisher says stays, and so does what is newer than this copy of the source.
func TestMarksAsTheyWillBe(t *testing.T) {
	n := version.Number{Major: 1, Minor: 24, Patch: 1}
	revoked := tools.Marks{Revoked: "eats-data"}
	for _, c := range []struct {
		name   string
		source tools.Marks // in signing 5
		said   map[string]tools.Said
		looked tools.Marks // what the state server read when it looked last
		want   tools.Marks
	}{
		{name: "nobody has said anything", source: revoked, want: revoked},
		{name: "it takes its own word back", said: map[string]tools.Said{"me": {Marks: revoked, Signing: 4}}, looked: revoked},
		{name: "it took its word back before", said: map[string]tools.Said{"me": {Signing: 5}}, looked: revoked},
		{name: "an old copy", said: map[string]tools.Said{"me": {Marks: revoked, Signing: 6}}, looked: revoked, want: revoked},
		{name: "another publisher", said: map[string]tools.Said{"other": {Marks: revoked, Signing: 1}}, looked: revoked, want: revoked},
		{name: "the state server has read more than the log has", looked: revoked, want: revoked},
	} {
		from := source{Source: directory{}, Listing: streams.Listing{
			SignedBy: "me", Signing: 5, Found: []streams.Found{{Tools: tools.Tools{Version: version.Binary{Number: n}}, Marks: c.source}},
		}}
		known := wire.Catalogue{Marks: []tools.Marked{{Version: n, Marks: c.looked}}}
		if c.said != nil {
			known.Said = tools.SaidBy{n.String(): c.said}
		}
		if diff := cmp.Diff([]tools.Marked{{Version: n, Marks: c.want}}, marksWith(from, known)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
