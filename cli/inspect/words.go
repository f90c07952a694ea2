package inspect

import (
	"maps"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/audit"
)

// words are what --kind and --machine can name in a log: the kinds of this build and of what was read,
// and the machines that were read of.
type words struct {
	kinds    map[string]bool // without their versions
	machines map[string]bool // ids
}

func newWords() words {
	w := words{map[string]bool{}, map[string]bool{}}
	for _, kind := range events.Kinds() {
		w.kind(kind)
	}
	return w
}

func (w words) kind(kind string) {
	name, _, _ := strings.Cut(kind, "/")
	w.kinds[name] = true
}

// note takes the words of an entry.
func (w words) note(e audit.Entry) {
	w.kind(e.What)
	for _, word := range []string{e.Machine, e.Subject, e.Actor} {
		id, isTag := strings.CutPrefix(word, "machine-")
		if word != "" && (isTag || word == e.Machine) {
			w.machines[id] = true
		}
	}
}

// refuse refuses a filter that chooses nothing because of a word that nothing is called by.
func (w words) refuse(f audit.Filter) error {
	kinds, machines := slices.Sorted(maps.Keys(w.kinds)), slices.Sorted(maps.Keys(w.machines))
	if f.Kind != "" && !slices.ContainsFunc(kinds, func(k string) bool { return audit.Filter{Kind: unversioned(f.Kind)}.Match(audit.Entry{What: k}) }) {
		return app.Usage("--kind %q is no kind of record; near it are: %s", f.Kind, strings.Join(near(f.Kind, kinds), ", "))
	}
	if f.Machine != "" && !w.machines[strings.TrimPrefix(f.Machine, "machine-")] {
		return app.Usage("--machine %q: the log tells of no such machine; it tells of: %s", f.Machine, strings.Join(machines, ", "))
	}
	return nil
}

func unversioned(kind string) string {
	name, _, _ := strings.Cut(kind, "/")
	return name
}

// near gives the kinds that begin as a word does, or else what all kinds begin with.
func near(word string, kinds []string) (list []string) {
	const enough = 3 // letters
	begin := word[:min(enough, len(word))]
	for _, k := range kinds {
		if strings.HasPrefix(k, begin) {
			list = append(list, k)
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, k := range kinds {
		noun, _, _ := strings.Cut(k, ".")
		list = append(list, noun+".*")
	}
	return slices.Compact(list)
}
