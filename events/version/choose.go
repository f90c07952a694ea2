package version

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Choose says which version an environment moves to, and for every other candidate why not to that
// one. The order of q.Candidates makes no difference. Source: the Juju 1.25 manual, "auto-selection
// algorithm". Where the manual says "the next patch", Choose takes the newest patch, as Juju did.
func Choose(q Question) Answer {
	c := &choice{Question: q, verdicts: map[Number]*Verdict{}, inUse: slices.Sorted(maps.Keys(q.Platforms))}
	c.sort()
	c.exclude()
	var a Answer
	switch {
	case !slices.Contains([]Policy{"", PolicyStep, PolicyNewest, PolicyPatch}, q.Policy):
		a = c.fail(CodePolicy, "policy %q is not one of %s, %s and %s", q.Policy, PolicyStep, PolicyNewest, PolicyPatch)
	case !q.To.IsZero():
		a = c.explicit()
	case c.stuck:
		a = c.none("%s is a dead end: nothing newer can be reached from it by an upgrade", q.Current)
	case q.Client.Major < q.Current.Major:
		a = c.fail(CodeClientOlder, "a client of version %s cannot choose for an environment of version %s; use a client of major version %d", q.Client,
			q.Current, q.Current.Major)
	case q.Client.Major > q.Current.Major && c.steps():
		a = c.otherMajor()
	default:
		a = c.sameMajor()
	}
	a.Verdicts = c.list(a)
	return a
}

// choice is one call of Choose.
type choice struct {
	Question
	verdicts map[Number]*Verdict // why candidates are excluded, whatever the policy is
	inUse    []string            // the platforms in use, sorted
	stuck    bool                // the current version is a dead end
}

// sort puts the candidates in order, newest first, each number once. A number that several sources
// offer becomes one candidate: see merge.
func (c *choice) sort() {
	all := make([]*Candidate, len(c.Candidates))
	for i := range all {
		all[i] = &c.Candidates[i]
	}
	slices.SortFunc(all, func(a, b *Candidate) int { return b.Number.Compare(a.Number) })
	c.Candidates = make([]Candidate, 0, len(all))
	for _, k := range all {
		if last := len(c.Candidates) - 1; last >= 0 && c.Candidates[last].Number == k.Number {
			c.Candidates[last] = merge(c.Candidates[last], *k)
			continue
		}
		c.Candidates = append(c.Candidates, *k)
	}
}

// merge makes one candidate of two with the same number. It has the platforms of both, and every mark
// that one of them has. If both are revoked, the smaller text is kept, so that the order of the two
// makes no difference.
func merge(a, b Candidate) Candidate {
	a.Platforms = slices.Concat(a.Platforms, b.Platforms)
	a.Floor, a.DeadEnd = a.Floor || b.Floor, a.DeadEnd || b.DeadEnd
	if a.Revoked == "" || (b.Revoked != "" && b.Revoked < a.Revoked) {
		a.Revoked = b.Revoked
	}
	return a
}

// reject excludes a candidate. The first reason stays.
func (c *choice) reject(n Number, reason, format string, args ...any) {
	if c.verdicts[n] == nil {
		c.verdicts[n] = &Verdict{Version: n, Reason: reason, Detail: fmt.Sprintf(format, args...)}
	}
}

// exclude rejects what no policy may choose.
func (c *choice) exclude() {
	for _, k := range c.Candidates {
		n := k.Number
		c.stuck = c.stuck || (n == c.Current && k.DeadEnd)
		switch without := c.without(k); {
		case k.Revoked != "":
			c.reject(n, ReasonRevoked, "revoked: %s", k.Revoked)
		case len(without) > 0:
			c.reject(n, ReasonNoTools, "there are no tools for %s", strings.Join(without, ", "))
		case k.DeadEnd && n != c.Current && n != c.To:
			c.reject(n, ReasonDeadEndAhead, "it is a dead end: nothing newer can be reached from it; it is chosen only when it is asked for")
		}
	}
}

// without names the machines that would be left without tools of a candidate.
func (c *choice) without(k Candidate) []string {
	var tags []string
	for _, p := range c.inUse {
		if slices.Contains(k.Platforms, p) {
			continue
		}
		machines := c.Platforms[p]
		if len(machines) == 0 {
			tags = append(tags, p)
		}
		for _, tag := range machines {
			tags = append(tags, tag+" ("+p+")")
		}
	}
	slices.Sort(tags)
	return tags
}

// mayTag says whether a version may be chosen as far as its tag goes: it has none, or the environment
// runs a tagged version of the same major.minor whose tag is not later.
func (c *choice) mayTag(n Number) bool {
	return n.Tag == "" || (c.Current.Tag != "" && n.Major == c.Current.Major && n.Minor == c.Current.Minor && n.Tag >= c.Current.Tag)
}

// newest is the newest candidate that is not excluded, satisfies f, is newer than the
// current version and of a tag that may be chosen.
func (c *choice) newest(f func(Number) bool) (Number, bool) {
	for _, k := range c.Candidates {
		if n := k.Number; c.verdicts[n] == nil && f(n) && n.Compare(c.Current) > 0 && c.mayTag(n) {
			return n, true
		}
	}
	return Number{}, false
}

// choose answers with n, or with the floor that lies before n. It answers with an error if that floor
// may not be installed, or if the client cannot set the version.
func (c *choice) choose(n Number, reason, format string, args ...any) Answer {
	a := Answer{Outcome: OutcomeUpgrade, Chosen: n, Reason: reason, Detail: fmt.Sprintf(format, args...)}
	if floor, ok := c.floorBefore(n); ok {
		if v := c.verdicts[floor]; v != nil {
			return c.fail(CodeBehindFloor, "%s must be passed through on the way to %s, but may not be chosen: %s", floor, n, v.Detail)
		}
		a = Answer{
			Outcome: OutcomeUpgrade, Chosen: floor, Reason: ReasonFloor,
			Detail: fmt.Sprintf("%s must be passed through on the way to %s", floor, n),
		}
	}
	if a.Chosen.Major != c.Client.Major {
		return c.fail(CodeOtherMajor, "the way leads to %s (%s), which a client of version %s cannot set; use a client of major version %d",
			a.Chosen, a.Detail, c.Client, a.Chosen.Major)
	}
	return a
}

// floorBefore is the lowest floor between the current version and n. A tagged floor counts only if it
// may be chosen; see mayTag.
func (c *choice) floorBefore(n Number) (Number, bool) {
	for _, k := range slices.Backward(c.Candidates) {
		if k.Floor && k.Number.Compare(c.Current) > 0 && k.Number.Compare(n) < 0 && c.mayTag(k.Number) {
			return k.Number, true
		}
	}
	return Number{}, false
}

func (c *choice) none(format string, args ...any) Answer {
	return Answer{Outcome: OutcomeNoUpgrade, Detail: fmt.Sprintf(format, args...)}
}

func (c *choice) fail(code, format string, args ...any) Answer {
	return Answer{Outcome: OutcomeError, Code: code, Message: fmt.Sprintf(format, args...)}
}

// steps says whether the policy is the manual's.
func (c *choice) steps() bool { return c.Policy == "" || c.Policy == PolicyStep }

func (c *choice) sameMajor() Answer {
	switch cur := c.Current; c.Policy {
	case PolicyNewest:
		if n, ok := c.newest(func(n Number) bool { return n.Major == cur.Major }); ok {
			if n.Tag != "" {
				return c.choose(n, ReasonNewest, "no release of major version %d is newer than %s; it is the newest of its tagged line", cur.Major, cur)
			}
			return c.choose(n, ReasonNewest, "it is the newest release of major version %d", cur.Major)
		}
		return c.none("no version of major version %d is newer than %s", cur.Major, cur)
	case PolicyPatch:
		if n, ok := c.newestOf(cur.Major, cur.Minor); ok {
			return c.patch(n, "it is the newest patch of %d.%d", cur.Major, cur.Minor)
		}
		return c.none("no patch of %d.%d is newer than %s", cur.Major, cur.Minor, cur)
	}
	return c.step()
}

// step is the first rule of the manual: the next minor version, else a newer patch of this one.
func (c *choice) step() Answer {
	cur := c.Current
	if n, ok := c.newestOf(cur.Major, cur.Minor+1); ok {
		return c.choose(n, ReasonNextMinor, "it is the newest patch of the next minor version, %d.%d", cur.Major, cur.Minor+1)
	}
	missing := c.missing(cur.Major, cur.Minor+1)
	if n, ok := c.newestOf(cur.Major, cur.Minor); ok {
		return c.patch(n, "%s; it is the newest patch of %d.%d", missing, cur.Major, cur.Minor)
	}
	if _, later := c.newest(func(n Number) bool { return n.Major == cur.Major && n.Minor > cur.Minor+1 }); later {
		return c.none("%s, and a minor version is never skipped", missing)
	}
	return c.none("%s, and no newer patch of %d.%d may be chosen", missing, cur.Major, cur.Minor)
}

// patch chooses a newer version of the current minor.
func (c *choice) patch(n Number, format string, args ...any) Answer {
	if c.Current.Tag != "" && n.Tag == "" {
		return c.choose(n, ReasonRelease, "it is a release of the version that runs as %s", c.Current)
	}
	return c.choose(n, ReasonNewestPatch, format, args...)
}

func (c *choice) newestOf(major, minor int) (Number, bool) {
	return c.newest(func(n Number) bool { return n.Major == major && n.Minor == minor })
}

// missing says why no version of a minor can be chosen.
func (c *choice) missing(major, minor int) string {
	for _, k := range c.Candidates {
		switch n := k.Number; {
		case n.Major != major || n.Minor != minor:
		case c.verdicts[n] != nil:
			return fmt.Sprintf("no %d.%d may be chosen (%s: %s)", major, minor, n, c.verdicts[n].Detail)
		case n.Tag == "": // it may be chosen, but is older than the client's version: see otherMajor
			return fmt.Sprintf("the newest %d.%d that is published is %s", major, minor, n)
		default:
			return fmt.Sprintf("of %d.%d only tagged versions are published (%s)", major, minor, n)
		}
	}
	return fmt.Sprintf("%d.%d is not published", major, minor)
}

// otherMajor chooses the client's own version or, if that cannot be chosen, the newest patch of the
// client's minor version that is above it.
func (c *choice) otherMajor() Answer {
	if _, ok := c.newest(func(n Number) bool { return n == c.Client }); ok {
		return c.choose(c.Client, ReasonClientVersion, "the major versions differ, so it is the client's version")
	}
	n, ok := c.newest(func(n Number) bool {
		return n.Major == c.Client.Major && n.Minor == c.Client.Minor && n.Compare(c.Client) > 0
	})
	if ok {
		return c.choose(n, ReasonClientMinor, "the client's version %s cannot be chosen; it is the newest patch of its minor version", c.Client)
	}
	return c.fail(CodeNotPublished, "the environment runs %s and the client is %s: that needs %s, or a newer %d.%d, but %s",
		c.Current, c.Client, c.Client, c.Client.Major, c.Client.Minor, c.missing(c.Client.Major, c.Client.Minor))
}
