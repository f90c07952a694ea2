package jujube_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"
)

const module = "github.com/jujube-project/jujube/"

// A tree is a module as the laws see it.
type tree struct {
	dir     string
	graph   map[string]*packages.Package // by import path: every package that the module builds, and all that those import
	typed   []*packages.Package          // the module's own, with and without their tests
	sources []source                     // every Go file of the module, tests included, each once, in the order of their names
}

// A source is one Go file, parsed and typed.
type source struct {
	name string // from the directory of the module
	pkg  string // the directory of its package, from there
	test bool
	file *ast.File
	fset *token.FileSet
	info *types.Info
}

// A law finds the places where it does not hold.
type law func(*tree) []breach

// A breach is one place where a law does not hold.
type breach struct {
	at   string // file:line, or a package
	text string
}

// ours is this module, loaded once for all tests.
var ours = sync.OnceValues(func() (*tree, error) { return load(".") })

// hold fails for every breach of a law in this module.
func hold(t *testing.T, law law) {
	t.Helper()
	tr, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range law(tr) {
		t.Errorf("%s %s", b.at, b.text)
	}
}

// load reads a module. What it imports from elsewhere is known by its types only, from what
// the compiler has left in its cache: this takes three seconds, and some more the first time.
func load(dir string) (*tree, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	tr := &tree{dir: abs, graph: map[string]*packages.Package{}}
	built, err := packages.Load(&packages.Config{
		Mode: packages.LoadImports | packages.NeedDeps | packages.NeedModule, Dir: dir, BuildFlags: []string{"-tags=" + installed},
	}, "./...")
	if err != nil {
		return nil, err
	}
	packages.Visit(built, nil, func(p *packages.Package) { tr.graph[p.PkgPath] = p })
	typed, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax, Dir: dir, Tests: true, BuildFlags: []string{"-tags=" + tags}}, "./...")
	if err != nil {
		return nil, err
	}
	tr.typed = typed
	sources := map[string]source{}
	for _, p := range typed {
		for _, e := range p.Errors {
			return nil, fmt.Errorf("load %s: %w", p.ID, e)
		}
		for _, f := range p.Syntax {
			if s := tr.source(p, f); !strings.HasPrefix(s.name, "..") { // what `go test` generates lies elsewhere
				sources[s.name] = s
			}
		}
	}
	tr.sources = slices.SortedFunc(maps.Values(sources), func(a, b source) int { return cmp.Compare(a.name, b.name) })
	return tr, nil
}

func (tr *tree) source(p *packages.Package, f *ast.File) source {
	name, err := filepath.Rel(tr.dir, p.Fset.Position(f.Package).Filename)
	if err != nil {
		name = ".." // elsewhere
	}
	return source{
		name: name, pkg: filepath.Dir(name), test: strings.HasSuffix(name, "_test.go"),
		file: f, fset: p.Fset, info: p.TypesInfo,
	}
}

// installed is the build tag of what packages hold: what a juju from source has besides (the
// demo) is no matter of the client.
const installed = "packaged"

// tags are the build tags of files that are held to the laws though nobody builds them
// without being told.
const tags = "compose,faults"

// at is where a node stands.
func (s source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.name, s.fset.Position(n.Pos()).Line)
}

// product are the files of the packages that a pattern names, without their tests.
func (tr *tree) product(pattern string) (found []source) {
	for _, s := range tr.sources {
		if !s.test && matches(s.pkg, pattern) {
			found = append(found, s)
		}
	}
	return found
}

// below are the packages of the module that a pattern names, in the order of their paths.
func (tr *tree) below(pattern string) (found []*packages.Package) {
	for _, path := range slices.Sorted(maps.Keys(tr.graph)) {
		if rest, inside := strings.CutPrefix(path, module); inside && matches(rest, pattern) {
			found = append(found, tr.graph[path])
		}
	}
	return found
}

// imported is the line where a package imports another: the path itself if no file was read.
func (tr *tree) imported(by, path string) string {
	for _, s := range tr.sources {
		for _, spec := range s.file.Imports {
			if s.pkg == strings.TrimPrefix(by, module) && !s.test && strings.Trim(spec.Path.Value, `"`) == path {
				return s.at(spec)
			}
		}
	}
	return by
}

// matches says whether a path is what a pattern names: with "…" at its end, that and all
// below it.
func matches(path, pattern string) bool {
	prefix, open := strings.CutSuffix(pattern, "…")
	if !open {
		return path == pattern
	}
	trimmed := strings.TrimSuffix(prefix, "/")
	return prefix == "" || path == trimmed || strings.HasPrefix(path, trimmed+"/")
}

func matchesAny(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(path, pattern) })
}

// TestLawsReadEveryFile: a file behind a build tag that the laws do not know could break
// every one of them.
func TestLawsReadEveryFile(t *testing.T) {
	tr, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	for _, s := range tr.sources {
		read[s.name] = true
	}
	err = filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(path, ".go") && read[path] == (unread[path] != "") {
			t.Errorf("%s: the laws read it, or it stands in unread with a reason, and never both", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// unread are the files that cannot be built together with the others, and why that is harmless.
var unread = map[string]string{
	"agent/race_test.go":          "says that the race detector is on",
	"sim/demo/race.go":            "says that the race detector is on",
	"cmd/juju/packaged.go":        "does nothing in the place of the demo",
	"cmd/jujud/nofaults.go":       "the builds that tests break on purpose are read, with their tag",
	"sim/fleet/seedsrace_test.go": "says how many seeds the race detector has time for",
}
