package jujube_test

import (
	"slices"
	"strings"
	"testing"
)

// A rest is what packages may link besides the standard library and this module.
type rest struct {
	from    []string
	besides []string
	except  []exception
}

var onlyStandard = []rest{
	{pure, []string{"github.com/hashicorp/go-version", "golang.org/x/mod/sumdb/tlog", "golang.org/x/mod/sumdb/note"}, []exception{
		{pkg: "events/tools/tuf", why: "it is what asks go-tuf who is trusted"},
		{pkg: "statesrv/decide", through: module + "events/tools/tuf", why: "what is published is judged before it is recorded"},
		{pkg: "projections…", through: module + "events/tools/tuf", why: "a fold believes who may ask for what only if documents prove it"},
	}},
}

func TestLawOfStandardLibrary(t *testing.T) { hold(t, lawOfStandardLibrary(onlyStandard)) }

func lawOfStandardLibrary(table []rest) law {
	return func(tr *tree) (found []breach) {
		for _, r := range table {
			for _, p := range tr.named(r.from) {
				other := func(path string) bool {
					return !isStandard(tr.graph[path]) && !strings.HasPrefix(path, module) && !slices.Contains(r.besides, path)
				}
				for _, way := range tr.ways(p, other, r.except) {
					found = append(found, breach{tr.imported(way[0], way[1]), "brings " + written(way) + ": facts, folds and decisions rest on the standard library"})
				}
			}
		}
		return found
	}
}

// An importer is the one package that may import some others; tests are held to it as well.
type importer struct {
	pkg    string
	alone  []string
	nobody []string // these must not import pkg itself
	why    string
}

var importers = []importer{
	{"bus…", []string{"github.com/nats-io/…", "github.com/synadia-io/…"}, nil, "one package speaks NATS, and it is bus"},
	{
		"events/tools/tuf",
		[]string{"github.com/theupdateframework/…"},
		[]string{"events…"},
		"one package decides who is trusted, and facts do not ask it",
	},
}

func TestLawOfImporters(t *testing.T) { hold(t, lawOfImporters) }

func lawOfImporters(tr *tree) (found []breach) {
	for _, s := range tr.sources {
		for _, spec := range s.file.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			for _, i := range importers {
				inside := matches(s.pkg, i.pkg)
				if !inside && (matchesAny(path, i.alone) || matchesAny(s.pkg, i.nobody) && path == module+i.pkg) {
					found = append(found, breach{s.at(spec), "imports " + path + ": " + i.why})
				}
			}
		}
	}
	return found
}
