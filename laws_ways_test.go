package jujube_test

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// ways are the shortest ways from a package to each that is forbidden, first step first, and
// without what an exception covers. Nobody looks behind a package of the standard library.
func (tr *tree) ways(from *packages.Package, forbidden func(string) bool, except []exception) (found [][]string) {
	name := strings.TrimPrefix(from.PkgPath, module)
	var free []string
	for _, e := range except {
		if matches(name, e.pkg) {
			if e.through == "" {
				return nil
			}
			free = append(free, e.through)
		}
	}
	seen := map[string]bool{from.PkgPath: true}
	for queue := [][]string{{from.PkgPath}}; len(queue) > 0; queue = queue[1:] {
		way := queue[0]
		for _, path := range slices.Sorted(maps.Keys(tr.graph[way[len(way)-1]].Imports)) {
			if seen[path] || matchesAny(path, free) {
				continue
			}
			seen[path] = true
			longer := append(slices.Clone(way), path)
			if forbidden(path) {
				found = append(found, longer) // what lies behind it is its own matter
			} else if !isStandard(tr.graph[path]) {
				queue = append(queue, longer)
			}
		}
	}
	return found
}

// named are the packages that any of the patterns names.
func (tr *tree) named(patterns []string) (found []*packages.Package) {
	for _, pattern := range patterns {
		found = append(found, tr.below(pattern)...)
	}
	return found
}

func isStandard(p *packages.Package) bool { return p.Module == nil }

// written shows a way as a person reads it.
func written(way []string) string {
	return strings.ReplaceAll(strings.Join(way[1:], " → "), module, "")
}

func ofModule(patterns []string) (paths []string) {
	for _, p := range patterns {
		paths = append(paths, strings.Replace(p, "module/", module, 1))
	}
	return paths
}

func packagesOf(except []exception) (patterns []string) {
	for _, e := range except {
		patterns = append(patterns, e.pkg)
	}
	return patterns
}
