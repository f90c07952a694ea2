package tools_test

import (
	"testing"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// A publisher takes back its own word, with a newer signing, and never that of another publisher.
func TestWhoTakesBackAWord(t *testing.T) {
	n := version.Number{Major: 1, Minor: 25, Patch: 1}
	revoked := tools.Marks{Revoked: "eats data"}
	known := tools.SaidBy{n.String(): {"ann": {Marks: revoked, Signing: 5}, "/srv/tools": {Marks: revoked}}}
	for name, c := range map[string]struct {
		publisher string
		word      tools.Said
		want      bool
	}{
		"the same again":                {"ann", tools.Said{Marks: revoked, Signing: 6}, false},
		"an old copy lifts nothing":     {"ann", tools.Said{Signing: 4}, false},
		"another tree of that second":   {"ann", tools.Said{Signing: 5}, false},
		"it may say more, though":       {"ann", tools.Said{Marks: tools.Marks{Revoked: "eats data", Floor: true}, Signing: 5}, true},
		"nobody signed, the last holds": {"/srv/tools", tools.Said{}, true},
		"a newer signing lifts it":      {"ann", tools.Said{Signing: 6}, true},
		"another reason":                {"ann", tools.Said{Marks: tools.Marks{Revoked: "burns"}, Signing: 6}, true},
		"somebody else says nothing":    {"bob", tools.Said{Signing: 9}, false},
		"somebody else says more":       {"bob", tools.Said{Marks: tools.Marks{Floor: true}, Signing: 1}, true},
	} {
		if got := known.News(n, c.publisher, c.word); got != c.want {
			t.Errorf("%s: news is %v", name, got)
		}
	}
	delete(known[n.String()], "/srv/tools")
	known[n.String()]["bob"] = tools.Said{Marks: tools.Marks{Revoked: "burns", Floor: true}}
	if got, want := known.Of(n), (tools.Marks{Revoked: "burns", Floor: true}); got != want {
		t.Errorf("together they say %+v, want %+v", got, want)
	}
	if got := known.Of(version.Number{Major: 2}); got != (tools.Marks{}) {
		t.Errorf("of another version they say %+v", got)
	}
}

func TestMarksInWords(t *testing.T) {
	for want, m := range map[string]tools.Marks{
		"as any other":                        {},
		"revoked (eats data)":                 {Revoked: "eats data"},
		"to be passed through and a dead end": {Floor: true, DeadEnd: true},
	} {
		if got := m.Words(); got != want {
			t.Errorf("%+v is %q, want %q", m, got, want)
		}
	}
}
