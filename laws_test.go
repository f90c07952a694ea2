package jujube_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/jujube-project/jujube/"

// law forbids packages to depend on others, however far away.
type law struct {
	from   string   // a package below the module; "…" at the end: and all below it
	forbid []string // import paths; "…" likewise; "module/X" is a package of this module
	why    string
}

var laws = []law{
	{"events…", []string{"os", "net…", "os/exec", "syscall…"}, "facts and their codec do no I/O"},
	{"projections…", []string{"os", "net…", "os/exec", "syscall…"}, "folds and decisions are pure: the same log, the same answer"},
	{"events…", []string{"module/projections…", "module/bus…", "module/agent…", "module/statesrv…", "module/streams…", "module/cli…"}, "facts lie at the bottom"},
	{"projections…", []string{"module/bus…", "module/agent…", "module/statesrv…", "module/cli…"}, "projections know facts only"},
	{"bus…", []string{"module/projections…", "module/agent…", "module/statesrv…", "module/cli…"}, "the bus carries facts and does not judge them"},
	{"bus/memlog", []string{"github.com/nats-io/…", "github.com/synadia-io/…"}, "what is tested in memory needs no NATS"},
	{"agent…", []string{"module/statesrv…", "module/cli…"}, "agents and state servers meet on the bus only"},
	{"statesrv…", []string{"module/agent…", "module/cli…"}, "agents and state servers meet on the bus only"},
	{"streams…", []string{"module/projections…", "module/bus…", "module/agent…", "module/statesrv…", "module/cli…"}, "trees of tools are read by clients and state servers alike"},
	{"agent/launcher…", []string{"github.com/nats-io/…", "github.com/synadia-io/…", "net/http…", "module/bus…"}, "the launcher judges a trial and is never updated: it is small and has no network"},
	{"cmd…", []string{"testing", "module/projections/scenario", "module/agent/install/crashfs", "module/bus/memlog", "module/bus/bustest", "module/bus/logtest", "module/events/testkey"}, "what tests need is not in the product"},
	{"agent/pipe", []string{"github.com/nats-io/…", "net/http…", "module/bus…"}, "launcher and agent talk over pipes alone"},
	{"agent/install", []string{"github.com/nats-io/…", "net/http…", "module/bus…"}, "installing is done on files alone"},
}

// onlyStandard may link the standard library, this module and what is listed.
var onlyStandard = []struct {
	from    string
	besides []string
}{
	{"events…", []string{"github.com/hashicorp/go-version", "golang.org/x/mod/sumdb/tlog", "golang.org/x/mod/sumdb/note"}},
	{"projections…", []string{"github.com/hashicorp/go-version", "golang.org/x/mod/sumdb/tlog", "golang.org/x/mod/sumdb/note"}},
}

// linksTUF may link go-tuf, which reads files and speaks HTTP elsewhere: what they do
// themselves is held to the laws all the same (TestLawOfTrustedMetadata). Nobody below them
// may: a fold that asked who is trusted would no longer be one.
const linksTUF = "events/tools/tuf"

// A goPackage is what `go list` says of one.
type goPackage struct {
	ImportPath   string
	Dir          string
	Name         string
	Standard     bool
	Imports      []string
	Deps         []string
	GoFiles      []string
	TestImports  []string
	XTestImports []string
}

func TestLawOfDependencies(t *testing.T) {
	packages := list(t)
	for _, l := range laws {
		for _, p := range below(t, packages, l.from) {
			if p.Name == "main" || slices.Contains(p.Imports, "testing") {
				continue // a generator, or what only tests link: they may read files
			}
			if p.ImportPath == module+linksTUF {
				continue
			}
			for _, forbidden := range l.forbid {
				pattern := strings.Replace(forbidden, "module/", module, 1)
				for _, dep := range p.Deps {
					if dep == "net/url" {
						continue // it reads words, and does no I/O
					}
					if matches(dep, pattern) && !reachedByStandardOnly(packages, p, dep) {
						t.Errorf("%s depends on %s: %s", p.ImportPath, dep, l.why)
					}
				}
			}
		}
	}
}

func TestLawOfStandardLibrary(t *testing.T) {
	packages := list(t)
	for _, l := range onlyStandard {
		for _, p := range below(t, packages, l.from) {
			if p.ImportPath == module+linksTUF {
				continue
			}
			for _, dep := range p.Deps {
				known, ok := packages[dep]
				if !ok || known.Standard || strings.HasPrefix(dep, module) || slices.Contains(l.besides, dep) {
					continue
				}
				t.Errorf("%s depends on %s: facts, folds and decisions rest on the standard library", p.ImportPath, dep)
			}
		}
	}
}

func TestLawOfTrustedMetadata(t *testing.T) {
	for path, p := range list(t) {
		if path == module+linksTUF {
			for _, imported := range p.Imports {
				if imported == "os" || imported == "unsafe" || matches(imported, "net…") || matches(imported, "syscall…") {
					t.Errorf("%s imports %s: it does no I/O itself", path, imported)
				}
			}
			continue
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if strings.HasPrefix(path, module) && matches(imported, "github.com/theupdateframework/…") {
				t.Errorf("%s imports %s: one package decides who is trusted, and it is %s", path, imported, linksTUF)
			}
			if (matches(path, module+"events…") || matches(path, module+"projections…")) && imported == module+linksTUF {
				t.Errorf("%s imports %s: facts and folds ask nobody who is trusted", path, imported)
			}
		}
	}
}

func TestLawOfNATS(t *testing.T) {
	for _, p := range list(t) {
		if !strings.HasPrefix(p.ImportPath, module) || matches(p.ImportPath, module+"bus…") {
			continue
		}
		for _, imported := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			if matches(imported, "github.com/nats-io/…") || matches(imported, "github.com/synadia-io/…") {
				t.Errorf("%s imports %s: one package speaks NATS, and it is bus", p.ImportPath, imported)
			}
		}
	}
}

// forbiddenCalls are calls that no product code makes in some packages.
var forbiddenCalls = []struct {
	from string
	call string
	why  string
}{
	{"…", "time.Sleep", "nothing waits by sleeping: wait for an event, a timer or the context"},
	{"events…", "time.Now", "time is an argument"},
	{"projections…", "time.Now", "time is an argument"},
	{"events…", "time.Since", "time is an argument"},
	{"projections…", "time.Since", "time is an argument"},
	{"agent…", "os.Getenv", "environment variables are read in cli and cmd"},
	{"statesrv…", "os.Getenv", "environment variables are read in cli and cmd"},
	{"bus…", "os.Getenv", "environment variables are read in cli and cmd"},
}

func TestLawOfCalls(t *testing.T) {
	packages := list(t)
	for _, l := range forbiddenCalls {
		for _, p := range below(t, packages, l.from) {
			for _, name := range p.GoFiles {
				for _, at := range callsOf(t, filepath.Join(p.Dir, name), l.call) {
					t.Errorf("%s uses %s: %s", at, l.call, l.why)
				}
			}
		}
	}
}

// sizes bound what must stay small: lines that are neither blank nor comments.
var sizes = []struct {
	pkg   string
	lines int
	why   string
}{
	{"agent/launcher", 400, "the launcher judges trials and is never updated with the agents: it must be read in one sitting"},
	{"agent/launcher/process", 250, "what starts and reaps for the launcher stays as small"},
	{"agent/pipe", 100, "what launcher and agent say is for ever"},
}

func TestLawOfSize(t *testing.T) {
	packages := list(t)
	for _, l := range sizes {
		for _, p := range below(t, packages, l.pkg) {
			lines := 0
			for _, name := range p.GoFiles {
				lines += linesOfCode(t, filepath.Join(p.Dir, name))
			}
			t.Logf("%s has %d lines of code, at most %d", l.pkg, lines, l.lines)
			if lines > l.lines {
				t.Errorf("%s has %d lines of code, more than %d: %s", l.pkg, lines, l.lines, l.why)
			}
		}
	}
}

// linesOfCode counts the lines on which a token stands.
func linesOfCode(t *testing.T, file string) int {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	f := set.AddFile(file, -1, len(src))
	var s scanner.Scanner
	s.Init(f, src, nil, 0)
	lines := map[int]bool{}
	for {
		pos, tok, lit := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if tok == token.SEMICOLON && lit != ";" {
			continue // the scanner put it there
		}
		for i := range 1 + strings.Count(lit, "\n") {
			lines[f.Line(pos)+i] = true
		}
	}
}

func TestLawOfGoroutines(t *testing.T) {
	packages := list(t)
	for _, from := range []string{"events…", "projections…"} {
		for _, p := range below(t, packages, from) {
			for _, name := range p.GoFiles {
				inspect(t, filepath.Join(p.Dir, name), func(at token.Position, n ast.Node) {
					if _, ok := n.(*ast.GoStmt); ok {
						t.Errorf("%s starts a goroutine: facts and folds do not", at)
					}
				})
			}
		}
	}
}

func TestLawOfSleepInTests(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		for _, at := range callsOf(t, path, "time.Sleep") {
			t.Errorf("%s uses time.Sleep: a test waits for what it expects", at)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// list is what the go tool says of every package that this module builds.
func list(t *testing.T) map[string]goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Name,Standard,Imports,Deps,GoFiles,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := map[string]goPackage{}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p goPackage
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages[p.ImportPath] = p
	}
}

// below are the packages of this module that a pattern names; a law about nothing is a
// law that was forgotten.
func below(t *testing.T, packages map[string]goPackage, pattern string) []goPackage {
	t.Helper()
	var found []goPackage
	for path, p := range packages {
		if rest, ours := strings.CutPrefix(path, module); ours && matches(rest, pattern) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		t.Errorf("no package is named by %q: change the law with the layout", pattern)
	}
	return found
}

func matches(path, pattern string) bool {
	prefix, open := strings.CutSuffix(pattern, "…")
	if !open {
		return path == pattern
	}
	trimmed := strings.TrimSuffix(prefix, "/")
	return prefix == "" || path == trimmed || strings.HasPrefix(path, trimmed+"/")
}

// reachedByStandardOnly says that only the standard library itself, as fmt does for os,
// brings dep into p: no package of ours or of others on the way imports it.
func reachedByStandardOnly(packages map[string]goPackage, p goPackage, dep string) bool {
	if d, ok := packages[dep]; !ok || !d.Standard {
		return false
	}
	for _, path := range append(slices.Clone(p.Deps), p.ImportPath) {
		if q := packages[path]; !q.Standard && slices.Contains(q.Imports, dep) {
			return false
		}
	}
	return true
}

func callsOf(t *testing.T, file, call string) []string {
	t.Helper()
	pkg, name, _ := strings.Cut(call, ".")
	var found []string
	inspect(t, file, func(at token.Position, n ast.Node) {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != name {
			return
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == pkg {
			found = append(found, at.Filename+":"+strconv.Itoa(at.Line))
		}
	})
	return found
}

func inspect(t *testing.T, file string, f func(token.Position, ast.Node)) {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if n != nil {
			f(set.Position(n.Pos()), n)
		}
		return true
	})
}
