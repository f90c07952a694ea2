package session

import (
	"slices"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// Available lists the archives that the environment has or can get, each version once. If a version
// is stored and a source lists it, too, the stored archive counts.
func Available(c wire.Catalogue) []tools.Tools {
	list := slices.Clone(c.Stored)
	for _, src := range c.Sources {
		for _, t := range src.Tools {
			if !slices.ContainsFunc(list, func(have tools.Tools) bool { return have.Version == t.Version }) {
				list = append(list, t)
			}
		}
	}
	return list
}

// Candidates groups archives by version number: a candidate has the platforms of its archives, and
// the marks of its number.
func Candidates(list []tools.Tools, marks []tools.Marked) []version.Candidate {
	byNumber := map[version.Number]*version.Candidate{}
	of := func(n version.Number) *version.Candidate {
		if byNumber[n] == nil {
			byNumber[n] = &version.Candidate{Number: n}
		}
		return byNumber[n]
	}
	for _, t := range list {
		c := of(t.Version.Number)
		c.Platforms = append(c.Platforms, t.Version.Platform())
	}
	for _, m := range marks {
		c := of(m.Version)
		c.Revoked, c.Floor, c.DeadEnd = m.Revoked, m.Floor, m.DeadEnd
	}
	cs := make([]version.Candidate, 0, len(byNumber))
	for _, c := range byNumber {
		cs = append(cs, *c)
	}
	return cs
}

// InUse gives the machines of each platform (series and architecture) that the environment has.
func InUse(c wire.Catalogue) map[string][]string {
	platforms := map[string][]string{}
	for _, p := range c.InUse {
		platforms[p.Platform] = p.Machines
	}
	return platforms
}

// Artefacts chooses the archives of one version number for the platforms in use.
func Artefacts(list []tools.Tools, n version.Number, platforms map[string][]string) []tools.Tools {
	var chosen []tools.Tools
	for _, t := range list {
		if _, used := platforms[t.Version.Platform()]; used && t.Version.Number == n {
			chosen = append(chosen, t)
		}
	}
	return chosen
}
