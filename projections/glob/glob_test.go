package glob_test

import (
	"path"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/projections/glob"
	"pgregory.net/rapid"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"web", "web", true},
		{"web", "web/0", false},
		{"web*", "web/0", true},
		{"*", "", true},
		{"", "", true},
		{"*/0", "web/0", true},
		{"w*b/*", "web/12", true},
		{"*b*b", "ab", false},
		{"a*a", "a", false},
		{"order.*", "order.issued", true},
		{"[a]", "a", false},
		{"?", "a", false},
	} {
		if got := glob.Match(c.pattern, c.name); got != c.want {
			t.Errorf("Match(%q, %q) = %t", c.pattern, c.name, got)
		}
	}
}

// Where names have no slash, it is path.Match without its other wildcards.
func TestMatchAgreesWithPathMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab*]{0,8}`).Draw(t, "pattern")
		name := rapid.StringMatching(`[ab]{0,8}`).Draw(t, "name")
		want, err := path.Match(pattern, name)
		if err != nil {
			t.Fatal(err)
		}
		if got := glob.Match(pattern, name); got != want {
			t.Fatalf("Match(%q, %q) = %t", pattern, name, got)
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add("a*b", "ab")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if !strings.Contains(pattern, "*") && glob.Match(pattern, name) != (pattern == name) {
			t.Fatalf("Match(%q, %q)", pattern, name)
		}
	})
}
