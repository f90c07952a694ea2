package statesrv

import (
	"maps"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// addSources adds what each source offers, and why some could not be read.
func addSources(c *wire.Catalogue, now []sourceListing) {
	for _, l := range now {
		if l.err != nil {
			c.Problems = append(c.Problems, l.err.Error())
			continue
		}
		found := wire.FoundTools{Source: l.name, SignedBy: l.SignedBy, Tools: []tools.Tools{}}
		for _, f := range l.Found {
			found.Tools = append(found.Tools, f.Tools)
		}
		c.Sources = append(c.Sources, found)
	}
}

// catalogueOf is the catalogue without the sources: what is stored, what machines need, and the marks of
// versions. offered are the marks that the sources showed last.
func catalogueOf(s *projections.State, offered map[version.Number]tools.Marks) wire.Catalogue {
	c := wire.Catalogue{
		Stored: []tools.Tools{}, Sources: []wire.FoundTools{}, Problems: []string{}, InUse: []wire.Platform{}, Marks: []tools.Marked{},
		Said: maps.Clone(s.Marks),
	}
	for n, m := range decide.MarksOf(s, offered) {
		c.Marks = append(c.Marks, tools.Marked{Version: n, Marks: m})
	}
	slices.SortFunc(c.Marks, func(a, b tools.Marked) int { return a.Version.Compare(b.Version) })
	for _, t := range s.Tools {
		c.Stored = append(c.Stored, t.Tools)
	}
	slices.SortFunc(c.Stored, func(a, b tools.Tools) int { return compareBinary(a.Version, b.Version) })
	machines := map[string][]string{}
	for _, id := range targets.Alive(s) {
		p := s.Machines[id].Version.Platform()
		machines[p] = append(machines[p], events.MachineTag(id))
	}
	for _, p := range slices.Sorted(maps.Keys(machines)) {
		c.InUse = append(c.InUse, wire.Platform{Platform: p, Machines: machines[p]})
	}
	return c
}

// compareBinary orders by number, then by platform.
func compareBinary(a, b version.Binary) int {
	if c := a.Number.Compare(b.Number); c != 0 {
		return c
	}
	if a.Platform() < b.Platform() {
		return -1
	}
	return 1
}
