package version_test

import (
	"testing"

	"github.com/hashicorp/go-version"
	"pgregory.net/rapid"

	ours "github.com/jujube-project/jujube/events/version"
)

// Releases are ordered as package go-version orders them. Tagged numbers are left out: they are Juju's own,
// and go-version reads them in another way (ADR 8).
func TestReleasesAreOrderedAsEverywhere(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		part := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 999_999_999))
		draw := func(name string) (ours.Number, *version.Version) {
			n := ours.Number{Major: part.Draw(r, name), Minor: part.Draw(r, name), Patch: part.Draw(r, name), Build: part.Draw(r, name)}
			v, err := version.NewVersion(n.String())
			if err != nil {
				r.Fatal(err)
			}
			return n, v
		}
		a, va := draw("a")
		b, vb := draw("b")
		if got, want := a.Compare(b), va.Compare(vb); got != want {
			r.Fatalf("%s against %s is %d, elsewhere %d", a, b, got, want)
		}
	})
}
