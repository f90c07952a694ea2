package version

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is how a version is chosen when none is given.
type Policy string

// Policies.
const (
	PolicyStep   Policy = "step"   // the manual's: newest patch of the next minor, else of this one
	PolicyNewest Policy = "newest" // the newest release of the major
	PolicyPatch  Policy = "patch"  // the newest patch of this minor
)

// Candidate is one published number.
type Candidate struct {
	Number    Number
	Platforms []string // for which tools exist, "trusty-amd64"
	Revoked   string   // why it must not be installed; empty: it may
	Floor     bool     // it must be passed through, not skipped
	DeadEnd   bool     // nothing can be reached from it
}

// Question is everything that a choice depends on.
type Question struct {
	Candidates []Candidate
	Current    Number              // of the environment
	Client     Number              // of whoever asks
	Policy     Policy              // empty: PolicyStep
	Platforms  map[string][]string // platform in use → tags of its machines
	To         Number              // explicit target; zero: choose
}

// Outcomes of a choice.
const (
	OutcomeUpgrade   = "upgrade"
	OutcomeNoUpgrade = "no-upgrade"
	OutcomeError     = "error"
)

// Reasons of a verdict. They are stable words.
const (
	ReasonNextMinor     = "next-minor"     // chosen: newest patch of the next minor
	ReasonNewestPatch   = "newest-patch"   // chosen: newest patch of the current minor
	ReasonNewest        = "newest"         // chosen: newest release of the major
	ReasonClientVersion = "client-version" // chosen: the client's own version
	ReasonClientMinor   = "client-minor"   // chosen: newest patch of the client's minor
	ReasonRelease       = "release"        // chosen: the release of the tagged version that runs
	ReasonAsked         = "asked"          // chosen: it was asked for
	ReasonFloor         = "floor"          // chosen: it must be passed through
	ReasonCurrent       = "current"        // it runs already
	ReasonOlder         = "older"          // not newer than the current one
	ReasonOtherMajor    = "other-major"    // of another major than allowed
	ReasonTooFar        = "beyond-next"    // a later minor than the next
	ReasonOlderPatch    = "superseded"     // a newer one is chosen
	ReasonTagged        = "tagged"         // a stable environment does not move to it by itself
	ReasonRevoked       = "revoked"        // the stream says it must not be installed
	ReasonNoTools       = "no-tools"       // machines would be left without tools
	ReasonNotAsked      = "not-asked"      // another one was asked for
	ReasonPolicy        = "policy"         // the policy does not go there
	ReasonBehindFloor   = "behind-floor"   // a floor must be passed through first
	ReasonDeadEndAhead  = "dead-end"       // nothing can be reached from the current version
)

// Codes of an error.
const (
	CodeClientOlder  = "client-major"  // a client of a lower major may not choose
	CodeNotPublished = "not-published" // the version asked for, or needed, is not there
	CodeLowerMinor   = "lower-minor"   // the version asked for is of a lower minor
	CodeLowerMajor   = "lower-major"   // the version asked for is of a lower major
	CodeOtherMajor   = "other-major"   // the version asked for needs a client of its major
	CodeNoTools      = "no-tools"      // the version asked for lacks tools for machines
	CodeRevoked      = "revoked"       // the version asked for is revoked
)

// Verdict is what was decided on one candidate.
type Verdict struct {
	Version Number `json:"version"`
	Chosen  bool   `json:"chosen"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail,omitempty"`
}

// Answer is a choice with its grounds.
type Answer struct {
	Outcome   string    `json:"outcome"`
	Chosen    Number    `json:"chosen"`
	Reason    string    `json:"reason,omitempty"`
	Detail    string    `json:"detail,omitempty"` // for a person
	Downgrade bool      `json:"downgrade,omitempty"`
	Verdicts  []Verdict `json:"verdicts"` // one for each candidate, newest first
	Code      string    `json:"code,omitempty"`
	Message   string    `json:"message,omitempty"` // of an error
}

// Choose says which version an environment moves to, and why not to each of the others.
// It depends on nothing but q, and not on the order of q.Candidates. Source: the Juju
// 1.25 manual, "auto-selection algorithm"; where the manual says "the next patch" the
// newest is meant, as Juju did.
func Choose(q Question) Answer {
	c := &choice{Question: q, verdicts: map[Number]*Verdict{}}
	c.sort()
	c.exclude()
	var a Answer
	switch {
	case !q.To.IsZero():
		a = c.explicit()
	case q.Client.Major < q.Current.Major:
		a = c.fail(CodeClientOlder, "a client of version %s cannot choose for an environment of version %s; use a client of major version %d", q.Client, q.Current, q.Current.Major)
	case q.Client.Major > q.Current.Major:
		a = c.otherMajor()
	default:
		a = c.sameMajor()
	}
	a.Verdicts = c.list(a)
	return a
}

type choice struct {
	Question
	verdicts map[Number]*Verdict // of excluded candidates
}

// sort puts the candidates newest first, each number once.
func (c *choice) sort() {
	c.Candidates = slices.Clone(c.Candidates)
	slices.SortStableFunc(c.Candidates, func(a, b Candidate) int { return b.Number.Compare(a.Number) })
	c.Candidates = slices.CompactFunc(c.Candidates, func(a, b Candidate) bool { return a.Number == b.Number })
}

func (c *choice) reject(n Number, reason, format string, args ...any) {
	if c.verdicts[n] == nil {
		c.verdicts[n] = &Verdict{Version: n, Reason: reason, Detail: fmt.Sprintf(format, args...)}
	}
}

// exclude rejects what no policy may choose.
func (c *choice) exclude() {
	for _, k := range c.Candidates {
		n := k.Number
		switch without := c.without(k); {
		case k.Revoked != "":
			c.reject(n, ReasonRevoked, "revoked: %s", k.Revoked)
		case len(without) > 0:
			c.reject(n, ReasonNoTools, "there are no tools for %s", strings.Join(without, ", "))
		}
	}
}

// without names the machines for which a candidate has no tools.
func (c *choice) without(k Candidate) []string {
	var tags []string
	platforms := make([]string, 0, len(c.Platforms))
	for p := range c.Platforms {
		platforms = append(platforms, p)
	}
	slices.Sort(platforms)
	for _, p := range platforms {
		if !slices.Contains(k.Platforms, p) {
			for _, tag := range c.Platforms[p] {
				tags = append(tags, tag+" ("+p+")")
			}
		}
	}
	return tags
}

// mayTag says whether a tagged version may be chosen: only on the same tag line.
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

func (c *choice) choose(n Number, reason, format string, args ...any) Answer {
	if floor, ok := c.floorBefore(n); ok {
		return Answer{Outcome: OutcomeUpgrade, Chosen: floor, Reason: ReasonFloor,
			Detail: fmt.Sprintf("%s must be passed through on the way to %s", floor, n)}
	}
	return Answer{Outcome: OutcomeUpgrade, Chosen: n, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// floorBefore is the lowest floor between the current version and n.
func (c *choice) floorBefore(n Number) (Number, bool) {
	for _, k := range slices.Backward(c.Candidates) {
		if k.Floor && c.verdicts[k.Number] == nil && k.Number.Compare(c.Current) > 0 && k.Number.Compare(n) < 0 {
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

func (c *choice) sameMajor() Answer {
	cur := c.Current
	for _, k := range c.Candidates {
		if k.Number == cur && k.DeadEnd {
			return c.none("%s is a dead end: nothing can be reached from it by an upgrade", cur)
		}
	}
	minor := func(m int) func(Number) bool {
		return func(n Number) bool { return n.Major == cur.Major && n.Minor == m }
	}
	if c.Policy == PolicyNewest {
		if n, ok := c.newest(func(n Number) bool { return n.Major == cur.Major }); ok {
			return c.choose(n, ReasonNewest, "it is the newest release of major version %d", cur.Major)
		}
		return c.none("no version of major version %d is newer than %s", cur.Major, cur)
	}
	if c.Policy != PolicyPatch {
		if n, ok := c.newest(minor(cur.Minor + 1)); ok {
			return c.choose(n, ReasonNextMinor, "it is the newest patch of the next minor version, %d.%d", cur.Major, cur.Minor+1)
		}
	}
	if n, ok := c.newest(minor(cur.Minor)); ok {
		if cur.Tag != "" && n.Tag == "" {
			return c.choose(n, ReasonRelease, "it is a release of the version that runs as %s", cur)
		}
		if c.Policy == PolicyPatch {
			return c.choose(n, ReasonNewestPatch, "it is the newest patch of %d.%d", cur.Major, cur.Minor)
		}
		return c.choose(n, ReasonNewestPatch, "%d.%d is not published; it is the newest patch of %d.%d", cur.Major, cur.Minor+1, cur.Major, cur.Minor)
	}
	if _, later := c.newest(func(n Number) bool { return n.Major == cur.Major && n.Minor > cur.Minor+1 }); later && c.Policy != PolicyPatch {
		return c.none("%d.%d is not published, and a minor version is never skipped", cur.Major, cur.Minor+1)
	}
	return c.none("nothing newer than %s may be chosen", cur)
}

// otherMajor moves to the client's own version, or to the nearest above it in its minor.
func (c *choice) otherMajor() Answer {
	if _, ok := c.newest(func(n Number) bool { return n == c.Client }); ok {
		return c.choose(c.Client, ReasonClientVersion, "the major versions differ, so it is the client's version")
	}
	n, ok := c.newest(func(n Number) bool {
		return n.Major == c.Client.Major && n.Minor == c.Client.Minor && n.Compare(c.Client) > 0
	})
	if ok {
		return c.choose(n, ReasonClientMinor, "the client's version %s is not published; it is the newest patch of its minor version", c.Client)
	}
	return c.fail(CodeNotPublished, "the environment runs %s and the client is %s: that needs %s, or a newer %d.%d, which is not published",
		c.Current, c.Client, c.Client, c.Client.Major, c.Client.Minor)
}

// explicit judges a version that was asked for.
func (c *choice) explicit() Answer {
	to, cur := c.To, c.Current
	i := slices.IndexFunc(c.Candidates, func(k Candidate) bool { return k.Number == to })
	switch {
	case to == cur:
		return c.none("the environment is at %s already", cur)
	case to.Major < cur.Major:
		return c.fail(CodeLowerMajor, "version %s is of a lower major version than %s; nothing is downgraded that far", to, cur)
	case to.Major == cur.Major && to.Minor < cur.Minor:
		return c.fail(CodeLowerMinor, "version %s is of a lower minor version than %s; only the patch may be lower", to, cur)
	case to.Major != c.Client.Major:
		return c.fail(CodeOtherMajor, "a client of version %s cannot set version %s; use a client of major version %d", c.Client, to, to.Major)
	case i < 0:
		return c.fail(CodeNotPublished, "version %s is not published", to)
	case c.verdicts[to] != nil && c.verdicts[to].Reason == ReasonRevoked:
		return c.fail(CodeRevoked, "version %s is %s", to, c.verdicts[to].Detail)
	case c.verdicts[to] != nil:
		return c.fail(CodeNoTools, "version %s: %s", to, c.verdicts[to].Detail)
	}
	a := Answer{Outcome: OutcomeUpgrade, Chosen: to, Reason: ReasonAsked, Detail: "it was asked for", Downgrade: to.Compare(cur) < 0}
	if a.Downgrade {
		a.Detail = fmt.Sprintf("it was asked for; it is a downgrade from %s", cur)
	}
	return a
}

// list gives every candidate its verdict.
func (c *choice) list(a Answer) []Verdict {
	list := make([]Verdict, 0, len(c.Candidates))
	for _, k := range c.Candidates {
		n := k.Number
		if a.Outcome == OutcomeUpgrade && n == a.Chosen {
			list = append(list, Verdict{Version: n, Chosen: true, Reason: a.Reason, Detail: a.Detail})
			continue
		}
		if v := c.verdicts[n]; v != nil {
			list = append(list, *v)
			continue
		}
		reason, detail := c.why(n, a)
		list = append(list, Verdict{Version: n, Reason: reason, Detail: detail})
	}
	return list
}

// why is the reason against a candidate that nothing excludes.
func (c *choice) why(n Number, a Answer) (reason, detail string) {
	cur := c.Current
	major := cur.Major
	if c.Client.Major > cur.Major {
		major = c.Client.Major
	}
	switch {
	case n == cur:
		return ReasonCurrent, "the environment is at it"
	case !c.To.IsZero():
		return ReasonNotAsked, "another version was asked for"
	case n.Compare(cur) < 0:
		return ReasonOlder, "it is older than " + cur.String()
	case n.Major != major:
		return ReasonOtherMajor, fmt.Sprintf("only major version %d may be chosen", major)
	case !c.mayTag(n):
		return ReasonTagged, "a tagged version is chosen only when it is asked for"
	case a.Outcome == OutcomeNoUpgrade && a.Detail != "" && strings.Contains(a.Detail, "dead end"):
		return ReasonDeadEndAhead, a.Detail
	case a.Reason == ReasonFloor && n.Compare(a.Chosen) > 0:
		return ReasonBehindFloor, a.Detail
	case c.Policy == PolicyPatch && n.Minor != cur.Minor:
		return ReasonPolicy, "policy patch stays within the minor version"
	case major == cur.Major && n.Minor > cur.Minor+1 && c.Policy != PolicyNewest:
		return ReasonTooFar, fmt.Sprintf("policy step goes to %d.%d first, which is never skipped", cur.Major, cur.Minor+1)
	case a.Outcome == OutcomeUpgrade:
		return ReasonOlderPatch, a.Chosen.String() + " is chosen"
	}
	return ReasonPolicy, "no rule leads to it"
}

// Path is the chain of choices from the current version to the newest reachable one, or
// to q.To. It always ends: every hop is newer than the one before.
func Path(q Question) []Answer {
	var hops []Answer
	target := q.To
	q.To = Number{}
	for range len(q.Candidates) + 1 {
		if !target.IsZero() && q.Current.Compare(target) >= 0 {
			break
		}
		a := Choose(q)
		if !target.IsZero() && a.Outcome == OutcomeUpgrade && a.Chosen.Compare(target) > 0 {
			q.To = target
			a = Choose(q)
			q.To = Number{}
		}
		hops = append(hops, a)
		if a.Outcome != OutcomeUpgrade {
			break
		}
		q.Current = a.Chosen
	}
	return hops
}
