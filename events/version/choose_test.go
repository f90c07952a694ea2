package version_test

import (
	"math/rand/v2"
	"reflect"
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
		{"1.24", "1.22", manual, "step", "", "upgrade 1.23.0 next-minor"},
		{"1.25", "1.24", manual, "boldly", "", "error policy"},
		{"1.25.1", "1.25.1", "1.25.2 1.25.3 1.27.0", "", "", "upgrade 1.25.3 newest-patch"},
		{"1.25.1", "1.22.8", "1.22.8 1.24.0 1.24.7 1.25.1", "", "", "no-upgrade"},
		{"2.0", "2.0", "2.0.5 2.0.1 2.3.3", "", "", "upgrade 2.0.5 newest-patch"},
		{"2.0", "2.0", "2.0.5 2.0.1 2.3.3", "patch", "", "upgrade 2.0.5 newest-patch"},
		{"2.0", "2.0", "2.0.5 2.0.1 2.3.3 3.1", "newest", "", "upgrade 2.3.3 newest"},
		{"2.0", "2.0", "3.2.0", "", "", "no-upgrade"},
		{"2.0", "2.0", "", "", "", "no-upgrade"},
		{"2.1", "1.22", manual, "newest", "", "error other-major"},
		{"2.1", "1.22", "1.22.5 2.1", "patch", "", "error other-major"},
		{"2.1", "1.22", "2.1", "patch", "", "no-upgrade"},
		{"2.0.1", "1.25.1", "2.0-beta3", "", "", "error not-published"},
		{"1.26-beta1", "1.26-beta1", "1.26-alpha9 1.26-rc1", "", "", "upgrade 1.26-rc1 newest-patch"},
		{"1.26-beta1", "1.26-beta1", "1.26-alpha9 1.27-beta1", "", "", "no-upgrade"},
		{"1.25", "1.25", "1.26-rc1", "newest", "", "no-upgrade"},
		{"1.25", "1.25", "1.26-rc1", "", "1.26-rc1", "upgrade 1.26-rc1 asked"},
		{"1.25", "1.22", manual, "", "1.25.1", "upgrade 1.25.1 asked"},
		{"1.22", "1.23", "2.0 3.0", "", "3.0", "error other-major"},
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

func TestTheReasonNamesWhatIsMissing(t *testing.T) {
	q := version.Question{Candidates: published(t, "1.22.3 1.24 1.25"), Client: num(t, "1.25"), Current: num(t, "1.22")}
	a := version.Choose(q)
	if a.Chosen != num(t, "1.22.3") || !strings.Contains(a.Detail, "1.23 is not published") {
		t.Fatalf("chose %+v", a)
	}
	q.Current = num(t, "1.22.3")
	a = version.Choose(q)
	if a.Outcome != version.OutcomeNoUpgrade || a.Detail != "1.23 is not published, and a minor version is never skipped" {
		t.Fatalf("without patches it is %+v", a)
	}
	if got := verdicts(a); got != "1.25.0 beyond-next, 1.24.0 beyond-next, 1.22.3 current" {
		t.Fatalf("the verdicts are %s", got)
	}
	q.Candidates = append(q.Candidates, version.Candidate{Number: num(t, "1.23"), Revoked: "eats data"})
	if a := version.Choose(q); !strings.Contains(a.Detail, "no 1.23 may be chosen (1.23.0: revoked: eats data)") {
		t.Fatalf("with a revoked one it is %+v", a)
	}
}

func verdicts(a version.Answer) string {
	var words []string
	for _, v := range a.Verdicts {
		words = append(words, v.Version.String()+" "+v.Reason)
	}
	return strings.Join(words, ", ")
}

func TestEveryCandidateGetsAReason(t *testing.T) {
	q := version.Question{
		Candidates: published(t, "1.21 1.22 1.22.1 1.23 1.23.1 1.23.9 1.24-beta1 1.25 2.1"), Client: num(t, "1.24"), Current: num(t, "1.22"),
		Platforms: map[string][]string{"trusty-amd64": {"machine-0"}},
	}
	q.Candidates[5].Platforms = []string{"trusty-arm64"}
	want := "2.1.0 other-major, 1.25.0 beyond-next, 1.24-beta1 tagged, 1.23.9 no-tools, 1.23.1 next-minor, 1.23.0 superseded, 1.22.1 superseded, 1.22.0 " +
		"current, 1.21.0 older"
	if got := verdicts(version.Choose(q)); got != want {
		t.Fatalf("the verdicts are\n%s, want\n%s", got, want)
	}
	q.To = num(t, "1.23.9")
	if got := verdicts(version.Choose(q)); !strings.Contains(got, "1.23.9 no-tools, 1.23.1 not-asked") {
		t.Fatalf("asked for, the verdicts are %s", got)
	}
}

// The details are for people. They must be true too.
func TestDetailsSayWhatIsSo(t *testing.T) {
	for _, c := range []struct{ client, server, published, policy, want string }{
		{"2.0.1", "1.25.1", "2.0.0 2.1.4", "", "the newest 2.0 that is published is 2.0.0"},
		{"2.0.1", "1.25.1", "2.0-beta3", "", "of 2.0 only tagged versions are published (2.0-beta3)"},
		{"2.0.1", "1.25.1", "2.1.4", "", "2.0 is not published"},
		{"1.25", "1.26-beta1", "1.26-beta2", "newest", "it is the newest of its tagged line"},
		{"1.25", "1.26-beta1", "1.26-beta2 1.26.0", "newest", "it is the newest release of major version 1"},
	} {
		a := version.Choose(version.Question{
			Candidates: published(t, c.published), Client: num(t, c.client), Current: num(t, c.server), Policy: version.Policy(c.policy),
		})
		if !strings.Contains(a.Detail+a.Message, c.want) {
			t.Errorf("client %s, server %s, published %s, policy %q:\n got %s\nwant %s", c.client, c.server, c.published, c.policy, a.Detail+a.Message, c.want)
		}
	}
}

func TestWhatIsSaidOfANumberInSeveralPlacesHoldsTogether(t *testing.T) {
	q := version.Question{
		Candidates: append(published(t, "1.25.1"), version.Candidate{Number: num(t, "1.25.1"), Platforms: []string{"trusty-arm64"}}),
		Client:     num(t, "1.25"), Current: num(t, "1.25"),
		Platforms: map[string][]string{"trusty-amd64": {"machine-0"}, "trusty-arm64": {"machine-7"}},
	}
	if a := version.Choose(q); a.Chosen != num(t, "1.25.1") || len(a.Verdicts) != 1 {
		t.Fatalf("chose %+v", a)
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

func TestFloorsAreNotSkipped(t *testing.T) {
	q := version.Question{Candidates: published(t, "1.24.5 1.25.1 2.1"), Client: num(t, "1.25"), Current: num(t, "1.24")}
	q.Candidates[0].Floor = true
	q.To = num(t, "1.25.1")
	if a := version.Choose(q); a.Code != version.CodeBehindFloor || !strings.Contains(a.Message, "1.24.5") {
		t.Fatalf("asked to skip a floor it is %+v", a)
	}
	if got := chain(version.Path(q)); got != "1.24.5 floor, 1.25.1 next-minor" {
		t.Fatalf("the path is %s", got)
	}
	q.To, q.Candidates[0].Revoked = version.Number{}, "eats data"
	if a := version.Choose(q); a.Code != version.CodeBehindFloor || !strings.Contains(a.Message, "eats data") {
		t.Fatalf("over a revoked floor it is %+v", a)
	}
	q.Candidates[0].Revoked, q.Client = "", num(t, "2.1")
	if a := version.Choose(q); a.Code != version.CodeOtherMajor || !strings.Contains(a.Message, "use a client of major version 1") {
		t.Fatalf("with a client that cannot set the floor it is %+v", a)
	}
}

func TestADeadEndIsEnteredOnlyWhenAskedFor(t *testing.T) {
	q := version.Question{Candidates: published(t, "1.25.1 1.25.2 1.25.3"), Client: num(t, "1.25"), Current: num(t, "1.25")}
	q.Candidates[1].DeadEnd = true
	if got := chain(version.Path(q)); got != "1.25.3 newest-patch, no-upgrade" {
		t.Fatalf("the path is %s", got)
	}
	q.To = num(t, "1.25.2")
	if a := version.Choose(q); a.Chosen != q.To {
		t.Fatalf("asked for, it is %+v", a)
	}
	q.Current, q.To = num(t, "1.25.2"), num(t, "1.25.3")
	if a := version.Choose(q); a.Code != version.CodeDeadEnd {
		t.Fatalf("asked to leave it, it is %+v", a)
	}
	q.To = num(t, "1.25.1")
	if a := version.Choose(q); a.Chosen != q.To || !a.Downgrade {
		t.Fatalf("asked to go back, it is %+v", a)
	}
}

func chain(hops []version.Answer) string {
	var words []string
	for _, a := range hops {
		switch a.Outcome {
		case version.OutcomeUpgrade:
			words = append(words, a.Chosen.String()+" "+a.Reason)
		case version.OutcomeError:
			words = append(words, "error "+a.Code)
		default:
			words = append(words, a.Outcome)
		}
	}
	return strings.Join(words, ", ")
}

func TestPath(t *testing.T) {
	for _, c := range []struct{ client, server, published, to, want string }{
		{"1.24", "1.22", manual, "", "1.23.0 next-minor, 1.24.0 next-minor, 1.25.1 next-minor, no-upgrade"},
		{"2.1", "1.22", manual, "", "2.1.0 client-version, 2.2.0 next-minor, no-upgrade"},
		{"1.24", "1.22", manual, "1.25", "1.23.0 next-minor, 1.24.0 next-minor, 1.25.0 asked"},
		{"1.24", "1.22", manual, "1.24", "1.23.0 next-minor, 1.24.0 next-minor"},
		{"1.24", "1.22", "1.23 1.25", "1.25", "1.23.0 next-minor, no-upgrade"},
		{"1.24", "1.22", "1.22.4 1.23-beta1", "1.23-beta1", "1.22.4 newest-patch, 1.23-beta1 asked"},
		{"1.25", "1.25.1", manual, "1.25.0", "1.25.0 asked"},
		{"1.25", "1.25.1", manual, "1.24", "error lower-minor"},
		{"1.25", "1.25.1", manual, "1.25.1", "no-upgrade"},
		{"1.25", "1.22", manual, "1.26", "error not-published"},
	} {
		q := version.Question{Candidates: published(t, c.published), Client: num(t, c.client), Current: num(t, c.server)}
		if c.to != "" {
			q.To = num(t, c.to)
		}
		if got := chain(version.Path(q)); got != c.want {
			t.Errorf("client %s, server %s, published %s, to %q:\n got %s\nwant %s", c.client, c.server, c.published, c.to, got, c.want)
		}
	}
}

// For random sets of published versions: the chosen version is published, newer, of an allowed minor version,
// and has tools for every machine. The order of the candidates makes no difference. Each candidate has one
// verdict with a reason, and every chain of hops ends.
func TestChooseProperties(t *testing.T) { rapid.Check(t, chooseProperties) }

func FuzzChoose(f *testing.F) { f.Fuzz(rapid.MakeFuzz(chooseProperties)) }

func drawNumber(r *rapid.T) version.Number {
	return version.Number{
		Major: rapid.IntRange(1, 2).Draw(r, "major"), Minor: rapid.IntRange(20, 25).Draw(r, "minor"),
		Tag: rapid.SampledFrom([]string{"", "", "", "beta"}).Draw(r, "tag"), Patch: rapid.IntRange(0, 4).Draw(r, "patch"),
	}
}

func drawQuestion(r *rapid.T) version.Question {
	platforms := []string{"trusty-amd64", "trusty-arm64"}
	q := version.Question{
		Current: drawNumber(r), Client: drawNumber(r), Platforms: map[string][]string{},
		Policy: rapid.SampledFrom([]version.Policy{"", version.PolicyStep, version.PolicyNewest, version.PolicyPatch}).Draw(r, "policy"),
	}
	for _, p := range rapid.SliceOfDistinct(rapid.SampledFrom(platforms), rapid.ID).Draw(r, "in use") {
		q.Platforms[p] = []string{"machine-" + p}
	}
	for range rapid.IntRange(0, 30).Draw(r, "published") {
		c := version.Candidate{Number: drawNumber(r), Platforms: platforms}
		switch rapid.IntRange(0, 12).Draw(r, "flaw") {
		case 0:
			c.Platforms = platforms[:1]
		case 1:
			c.Revoked = "eats data"
		case 2:
			c.Floor = true
		case 3:
			c.DeadEnd = true
		}
		q.Candidates = append(q.Candidates, c)
	}
	return q
}

func chooseProperties(r *rapid.T) {
	q := drawQuestion(r)
	a := version.Choose(q)
	shuffled := q
	shuffled.Candidates = rapid.Permutation(q.Candidates).Draw(r, "order")
	if b := version.Choose(shuffled); !reflect.DeepEqual(a, b) {
		r.Fatalf("another order answers\n%+v instead of\n%+v", b, a)
	}
	chosen, numbers := 0, map[version.Number]bool{}
	for _, c := range q.Candidates {
		numbers[c.Number] = true
	}
	for _, v := range a.Verdicts {
		if v.Chosen {
			chosen++
		}
		if !numbers[v.Version] || v.Reason == "" || v.Detail == "" || v.Chosen && v.Version != a.Chosen {
			r.Fatalf("the verdict is %+v", v)
		}
		delete(numbers, v.Version)
	}
	if len(numbers) > 0 || (chosen == 1) != (a.Outcome == version.OutcomeUpgrade) {
		r.Fatalf("%d chosen, no verdict on %v, in %+v", chosen, numbers, a)
	}
	if a.Outcome == version.OutcomeUpgrade {
		checkChosen(r, q, a)
	}
	followTo(r, q)
	hops := version.Path(q)
	if len(hops) > len(q.Candidates)+1 || !reflect.DeepEqual(hops[0], a) || hops[len(hops)-1].Outcome == version.OutcomeUpgrade {
		r.Fatalf("the path is %s", chain(hops))
	}
}

// followTo asks for the way to some version. The way ends there or says why not. Every hop is newer than the
// one before, unless the way is one downgrade. No hop is newer than the version that is asked for.
func followTo(r *rapid.T, q version.Question) {
	q.To = drawNumber(r)
	hops := version.Path(q)
	last := hops[len(hops)-1]
	if len(hops) > len(q.Candidates)+1 {
		r.Fatalf("the path to %s is %s", q.To, chain(hops))
	}
	switch {
	case last.Outcome == version.OutcomeNoUpgrade && last.Detail != "":
	case last.Outcome == version.OutcomeError && last.Code != "" && last.Message != "":
	case last.Outcome == version.OutcomeUpgrade && last.Chosen == q.To:
	default:
		r.Fatalf("the path to %s ends so: %s", q.To, chain(hops))
	}
	at := q.Current
	for _, a := range hops {
		if a.Outcome == version.OutcomeUpgrade && !a.Downgrade && (a.Chosen.Compare(at) <= 0 || a.Chosen.Compare(q.To) > 0) {
			r.Fatalf("the path from %s to %s is %s", q.Current, q.To, chain(hops))
		}
		if a.Downgrade && len(hops) > 1 {
			r.Fatalf("the path to %s goes down: %s", q.To, chain(hops))
		}
		at = a.Chosen
	}
}

func checkChosen(r *rapid.T, q version.Question, a version.Answer) {
	platforms := 0
	for _, c := range q.Candidates {
		if c.Number != a.Chosen {
			continue
		}
		platforms = max(platforms, len(c.Platforms))
		if c.Revoked != "" || c.DeadEnd {
			r.Fatalf("chose %+v", c)
		}
	}
	beyond := a.Chosen.Minor > q.Current.Minor+1 && q.Policy != version.PolicyNewest
	switch {
	case platforms == 0 || len(q.Platforms) == 2 && platforms < 2:
		r.Fatalf("chose %s, for which there are no tools", a.Chosen)
	case a.Chosen.Compare(q.Current) <= 0 || a.Chosen.Major != q.Client.Major:
		r.Fatalf("chose %s from %s with client %s", a.Chosen, q.Current, q.Client)
	case a.Chosen.Major == q.Current.Major && beyond:
		r.Fatalf("%s skips a minor from %s", a.Chosen, q.Current)
	case q.Policy == version.PolicyPatch && a.Chosen.Minor != q.Current.Minor:
		r.Fatalf("policy patch chose %s from %s", a.Chosen, q.Current)
	case a.Chosen.Tag != "" && q.Current.Tag == "":
		r.Fatalf("%s goes to tagged %s", q.Current, a.Chosen)
	}
}

func BenchmarkChoose(b *testing.B) {
	q := version.Question{
		Current: num(b, "1.22"), Client: num(b, "1.24"),
		Platforms: map[string][]string{"trusty-amd64": {"machine-0"}, "trusty-arm64": {"machine-7"}},
	}
	for i := range 10_000 {
		n := version.Number{Major: 1, Minor: i % 100, Patch: i / 100}
		q.Candidates = append(q.Candidates, version.Candidate{Number: n, Platforms: []string{"trusty-amd64", "trusty-arm64"}})
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(q.Candidates), func(i, j int) {
		q.Candidates[i], q.Candidates[j] = q.Candidates[j], q.Candidates[i]
	})
	for b.Loop() {
		if a := version.Choose(q); a.Outcome != version.OutcomeUpgrade {
			b.Fatal(a)
		}
	}
}
