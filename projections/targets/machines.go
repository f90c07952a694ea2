package targets

import (
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections"
)

// All are the ids of all machines, by number.
func All(s *projections.State) []string {
	ids := make([]string, 0, len(s.Machines))
	for id := range s.Machines {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, projections.CompareNames)
	return ids
}

// Alive are the ids of the enrolled machines, by number.
func Alive(s *projections.State) []string {
	return slices.DeleteFunc(All(s), func(id string) bool { return s.Machines[id].Life != projections.LifeAlive })
}

// ByTags finds the machines behind tags or names: "machine-1", "1", "unit-web-0" or
// "web/0" (a unit's agent lives in its machine's).
func ByTags(s *projections.State, tags []string) (ids, unknown []string) {
	byTag := map[string]string{}
	for name, u := range s.Units {
		byTag[name], byTag[events.UnitTag(name)] = u.Machine, u.Machine
	}
	for _, id := range Alive(s) {
		byTag[id], byTag[events.MachineTag(id)] = id, id
	}
	for _, tag := range tags {
		switch id, ok := byTag[tag]; {
		case !ok:
			unknown = append(unknown, tag)
		case !slices.Contains(ids, id):
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, projections.CompareNames)
	return ids, unknown
}
