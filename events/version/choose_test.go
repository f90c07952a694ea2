package version_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/jujube-project/jujube/events/version"
)

func num(t testing.TB, s string) version.Number {
	t.Helper()
	n, err := version.ParsePerson(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func published(t testing.TB, list string) (cs []version.Candidate) {
	t.Helper()
	for _, s := range strings.Fields(list) {
		cs = append(cs, version.Candidate{Number: num(t, s), Platforms: []string{"trusty-amd64"}})
	}
	return cs
}

// The manual: "To demonstrate, let the available online versions be: 1.23, 1.24, 1.25,
// 1.25.1, 2.1, and 2.2. This gives: client 1.24, server 1.22 -> upgrade to 1.23; client
// 2.1, server 1.22 -> upgrade to 2.1; client 1.24, server 1.25 -> upgrade to 1.25.1".
const manual = "1.23 1.24 1.25 1.25.1 2.1 2.2"

func TestChoose(t *testing.T) {
	for _, c := range []struct{ client, server, published, policy, to, want string }{
		{"1.24", "1.22", manual, "", "", "upgrade 1.23.0 next-minor"},
		{"2.1", "1.22", manual, "", "", "upgrade 2.1.0 client-version"},
		{"1.24", "1.25", manual, "", "", "upgrade 1.25.1 newest-patch"},
		{"1.24", "1.22", manual, "newest", "", "upgrade 1.25.1 newest"},
		{"1.24", "1.22", manual, "patch", "", "no-upgrade"},
		{"1.25.1", "1.25.1", manual, "", "", "no-upgrade"},
		{"1.25.1", "1.25.1", "1.27.0", "", "", "no-upgrade"},
		{"1.20.14", "1.20.14", "1.21.0 1.21.3 1.22.1", "", "", "upgrade 1.21.3 next-minor"},
		{"1.25.1", "1.25.1", "1.26-beta2 1.25.2", "", "", "upgrade 1.25.2 newest-patch"},
		{"1.26-beta1", "1.26-beta1", "1.26-beta1 1.26-beta2", "", "", "upgrade 1.26-beta2 newest-patch"},
		{"1.26-beta1", "1.26-beta1", "1.26-alpha9 1.26.0", "", "", "upgrade 1.26.0 release"},
		{"1.25.1", "1.25.1", "1.25.1 1.25.1.1", "", "", "upgrade 1.25.1.1 newest-patch"},
		{"2.0.1", "1.25.1", "2.0.0 2.0.1 2.0.4", "", "", "upgrade 2.0.1 client-version"},
		{"2.0.1", "1.25.1", "2.0.0 2.0.4", "", "", "upgrade 2.0.4 client-minor"},
		{"2.0.1", "1.25.1", "2.0.0 2.1.4", "", "", "error not-published"},
		{"1.25", "2.0", "2.1.0", "", "", "error client-major"},
		{"1.25", "1.24", manual, "", "1.25.1", "upgrade 1.25.1 asked"},
		{"1.25", "1.25.1", manual, "", "1.25.1", "no-upgrade"},
		{"1.25", "1.25.1", manual, "", "1.25.0", "upgrade 1.25.0 asked"},
		{"1.25", "1.25.1", manual, "", "1.24", "error lower-minor"},
		{"1.25", "1.25.1", manual, "", "2.1", "error other-major"},
		{"1.25", "1.25.1", manual, "", "1.25.9", "error not-published"},
		{"2.1", "2.1", manual, "", "1.25", "error lower-major"},
	} {
		q := version.Question{
			Candidates: published(t, c.published), Client: num(t, c.client), Current: num(t, c.server),
			Policy: version.Policy(c.policy), Platforms: map[string][]string{"trusty-amd64": {"machine-0"}},
		}
		if c.to != "" {
			q.To = num(t, c.to)
		}
		a := version.Choose(q)
		got := a.Outcome
		switch a.Outcome {
		case version.OutcomeUpgrade:
			got += " " + a.Chosen.String() + " " + a.Reason
		case version.OutcomeError:
			got += " " + a.Code
		}
		if got != c.want {
			t.Errorf("client %s, server %s, published %s, policy %q, to %q:\n got %s\nwant %s", c.client, c.server, c.published, c.policy, c.to, got, c.want)
		}
		if len(a.Verdicts) != len(q.Candidates) {
			t.Errorf("%d verdicts for %d candidates", len(a.Verdicts), len(q.Candidates))
		}
	}
}

func TestChooseNeedsToolsForEverybody(t *testing.T) {
	q := version.Question{
		Candidates: published(t, "1.25.1"), Client: num(t, "1.25"), Current: num(t, "1.25"),
		Platforms: map[string][]string{"trusty-amd64": {"machine-0"}, "trusty-arm64": {"machine-7"}},
	}
	a := version.Choose(q)
	if a.Outcome != version.OutcomeNoUpgrade || a.Verdicts[0].Reason != version.ReasonNoTools || !strings.Contains(a.Verdicts[0].Detail, "machine-7") {
		t.Fatalf("chose %+v", a)
	}
	q.To = num(t, "1.25.1")
	if a := version.Choose(q); a.Code != version.CodeNoTools || !strings.Contains(a.Message, "machine-7") {
		t.Fatalf("asked for, it is %+v", a)
	}
	q.Candidates[0].Platforms = append(q.Candidates[0].Platforms, "trusty-arm64")
	q.Candidates[0].Revoked = "eats data"
	if a := version.Choose(q); a.Code != version.CodeRevoked {
		t.Fatalf("revoked, it is %+v", a)
	}
}

func TestFloorsAndDeadEnds(t *testing.T) {
	q := version.Question{Candidates: published(t, "1.25.1 1.25.5 1.25.9"), Client: num(t, "1.25"), Current: num(t, "1.25")}
	q.Candidates[1].Floor = true
	if a := version.Choose(q); a.Chosen != num(t, "1.25.5") || a.Reason != version.ReasonFloor {
		t.Fatalf("past a floor it chose %+v", a)
	}
	q.Candidates = append(q.Candidates, version.Candidate{Number: num(t, "1.25"), DeadEnd: true})
	if a := version.Choose(q); a.Outcome != version.OutcomeNoUpgrade {
		t.Fatalf("out of a dead end it chose %+v", a)
	}
}

// For random published sets: what is chosen is published, newer, of an allowed minor,
// and does not depend on the order; and following the hops ends.
func TestChooseProperties(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		number := rapid.Custom(func(r *rapid.T) version.Number {
			return version.Number{
				Major: rapid.IntRange(1, 2).Draw(r, "major"), Minor: rapid.IntRange(20, 25).Draw(r, "minor"),
				Tag: rapid.SampledFrom([]string{"", "", "", "beta"}).Draw(r, "tag"), Patch: rapid.IntRange(0, 4).Draw(r, "patch"),
			}
		})
		q := version.Question{Current: number.Draw(r, "current"), Client: number.Draw(r, "client")}
		for _, n := range rapid.SliceOf(number).Draw(r, "published") {
			q.Candidates = append(q.Candidates, version.Candidate{Number: n})
		}
		a := version.Choose(q)
		shuffled := q
		shuffled.Candidates = rapid.Permutation(q.Candidates).Draw(r, "order")
		if b := version.Choose(shuffled); b.Chosen != a.Chosen || b.Outcome != a.Outcome {
			r.Fatalf("another order chose %v instead of %v", b.Chosen, a.Chosen)
		}
		if a.Outcome == version.OutcomeUpgrade {
			there := slices.ContainsFunc(q.Candidates, func(c version.Candidate) bool { return c.Number == a.Chosen })
			if !there || a.Chosen.Compare(q.Current) <= 0 {
				r.Fatalf("chose %s from %s", a.Chosen, q.Current)
			}
			if a.Chosen.Major == q.Current.Major && a.Chosen.Minor > q.Current.Minor+1 {
				r.Fatalf("%s skips a minor from %s", a.Chosen, q.Current)
			}
		}
		hops := version.Path(q)
		if len(hops) > len(q.Candidates)+1 {
			r.Fatalf("%d hops", len(hops))
		}
	})
}
