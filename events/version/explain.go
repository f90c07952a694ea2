package version

import (
	"fmt"
	"slices"
	"strconv"
)

// explicit judges the version that was asked for.
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
	case c.stuck && to.Compare(cur) > 0:
		return c.fail(CodeDeadEnd, "%s is a dead end: nothing newer can be reached from it by an upgrade", cur)
	}
	if floor, ok := c.floorBefore(to); ok {
		return c.fail(CodeBehindFloor, "version %s cannot be reached at once: %s must be passed through first; ask for that", to, floor)
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
	say := c.sayings(a)
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
		reason, detail := c.why(n, a, say)
		list = append(list, Verdict{Version: n, Reason: reason, Detail: detail})
	}
	return list
}

// sayings are the details that are the same for many candidates. They are made once, since there may
// be ten thousand candidates.
type sayings struct {
	major                                        int // the one major version that may be chosen
	older, otherMajor, stuck, tooFar, superseded string
}

func (c *choice) sayings(a Answer) sayings {
	cur := c.Current
	s := sayings{major: cur.Major}
	if c.Client.Major > cur.Major && c.steps() {
		s.major = c.Client.Major
	}
	s.older = "it is older than " + cur.String()
	s.otherMajor = fmt.Sprintf("only major version %d may be chosen", s.major)
	s.stuck = cur.String() + " is a dead end: nothing newer can be reached from it"
	s.tooFar = "policy step goes to " + minorText(cur.Major, cur.Minor+1) + " first, which is never skipped"
	s.superseded = a.Chosen.String() + " is chosen"
	return s
}

// why gives the reason against a candidate that is neither chosen nor excluded.
func (c *choice) why(n Number, a Answer, say sayings) (reason, detail string) {
	cur := c.Current
	switch {
	case n == cur:
		return ReasonCurrent, "the environment is at it"
	case n == c.To:
		return a.Code, a.Message
	case !c.To.IsZero():
		return ReasonNotAsked, "another version was asked for"
	case n.Compare(cur) < 0:
		return ReasonOlder, say.older
	case n.Major != say.major:
		return ReasonOtherMajor, say.otherMajor
	case !c.mayTag(n):
		return ReasonTagged, "a tagged version is chosen only when it is asked for"
	case c.stuck:
		return ReasonDeadEndAhead, say.stuck
	case a.Reason == ReasonFloor && n.Compare(a.Chosen) > 0:
		return ReasonBehindFloor, a.Detail
	case c.Policy == PolicyPatch && n.Minor != cur.Minor:
		return ReasonPolicy, "policy patch stays within the minor version"
	case say.major == cur.Major && n.Minor > cur.Minor+1 && c.steps():
		return ReasonTooFar, say.tooFar
	case a.Outcome == OutcomeUpgrade:
		return ReasonOlderPatch, say.superseded
	}
	if a.Outcome == OutcomeError {
		return a.Code, a.Message
	}
	return ReasonPolicy, "no rule leads to it"
}

// minorText is "1.25" for 1 and 25.
func minorText(major, minor int) string { return strconv.Itoa(major) + "." + strconv.Itoa(minor) }
