package jujube_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// broken are the laws that the files of testdata/laws break, by the file's name. The files
// are one module together. A line that breaks the law says so, with a part of the message:
//
//	t := time.Now() // breaks: time is an argument
//
// and no other line breaks any. "breaks PACKAGE: …" at the head of a file is for what has no
// line of its own.
var broken = map[string]law{
	"calls":           lawOfCalls(uses),
	"codes":           lawOfCodes([]string{"floor", "scope", "unused", "gone"}),
	"columns":         lawOfColumns,
	"dependencies":    lawOfDependencies(dependencies),
	"goroutines":      lawOfGoroutines,
	"importers":       lawOfImporters,
	"standardlibrary": lawOfStandardLibrary(onlyStandard),

	"decoders": lawOfDecoders(map[string]string{
		"bus/decode.Known": "bus/decode FuzzKnown", "bus/decode.Local": "(a file of our own)",
		"bus/decode.Local2": "bus/decode FuzzNowhere", "bus/decode.Gone": "(it was deleted)",
	}),
	"size": lawOfSize([]size{{"agent/judge", 3, "it is small"}, {"agent/short", 4, "it is small"}}),
}

func TestLawsFindWhatBreaksThem(t *testing.T) {
	dir, wanted := brokenModule(t)
	tr, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, law := range broken {
		if len(wanted[name]) == 0 {
			t.Errorf("nothing in testdata/laws breaks the law of %s", name)
		}
		for _, b := range law(tr) {
			expected := func(w breach) bool { return w.at == b.at && strings.Contains(b.text, w.text) }
			if !slices.ContainsFunc(wanted[name], expected) {
				t.Errorf("the law of %s finds what does not break it: %s %s", name, b.at, b.text)
			}
			wanted[name] = slices.DeleteFunc(wanted[name], expected)
		}
		for _, w := range wanted[name] {
			t.Errorf("the law of %s does not find: %s %s", name, w.at, w.text)
		}
	}
}

// brokenModule writes the module, and says what breaks each law.
func brokenModule(t *testing.T) (dir string, wanted map[string][]breach) {
	t.Helper()
	dir, wanted = t.TempDir(), map[string][]breach{}
	files, err := filepath.Glob("testdata/laws/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err == nil {
			err = txtar.Write(archive, dir)
		}
		if err != nil {
			t.Fatal(err)
		}
		law := strings.TrimSuffix(filepath.Base(file), ".txtar")
		if broken[law] == nil && law != "module" {
			t.Errorf("%s breaks no law: there is none of its name", file)
		}
		for line := range strings.Lines(string(archive.Comment)) {
			if found, ok := strings.CutPrefix(line, "breaks "); ok {
				at, text, _ := strings.Cut(strings.TrimSpace(found), ": ")
				wanted[law] = append(wanted[law], breach{at, text})
			}
		}
		for _, f := range archive.Files {
			for i, line := range strings.Split(string(f.Data), "\n") {
				if _, text, ok := strings.Cut(line, "// breaks: "); ok {
					wanted[law] = append(wanted[law], breach{fmt.Sprintf("%s:%d", f.Name, i+1), text})
				}
			}
		}
	}
	return dir, wanted
}

// A law about nothing is a law that was forgotten.
func TestLawsNameWhatExists(t *testing.T) {
	tr, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for _, d := range dependencies {
		patterns = append(append(patterns, d.from...), packagesOf(d.except)...)
		for _, path := range slices.Concat(d.forbid, d.but) {
			if inside, ok := strings.CutPrefix(path, "module/"); ok && inside != "…" {
				patterns = append(patterns, inside)
			}
		}
	}
	for _, r := range onlyStandard {
		patterns = append(append(patterns, r.from...), packagesOf(r.except)...)
	}
	for _, i := range importers {
		patterns = append(append(patterns, i.pkg), i.nobody...)
	}
	for _, u := range uses {
		patterns = append(append(patterns, u.from...), packagesOf(u.except)...)
	}
	for _, s := range sizes {
		patterns = append(patterns, s.pkg)
	}
	slices.Sort(patterns)
	for _, pattern := range slices.Compact(patterns) {
		if len(tr.below(pattern)) == 0 {
			t.Errorf("no package is named by %q: change the law with the layout", pattern)
		}
	}
}

// An exception that frees nobody is a door that was left open.
func TestEveryExceptionIsNeeded(t *testing.T) {
	tr, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dependencies {
		for i, e := range d.except {
			d := d
			d.except = slices.Delete(slices.Clone(d.except), i, i+1)
			needed(t, tr, e, d.from, lawOfDependencies([]dependency{d}))
		}
	}
	for _, r := range onlyStandard {
		for i, e := range r.except {
			r := r
			r.except = slices.Delete(slices.Clone(r.except), i, i+1)
			needed(t, tr, e, r.from, lawOfStandardLibrary([]rest{r}))
		}
	}
	for _, u := range uses {
		for i, e := range u.except {
			u := u
			u.except = slices.Delete(slices.Clone(u.except), i, i+1)
			needed(t, tr, e, u.from, lawOfCalls([]use{u}))
		}
	}
}

func needed(t *testing.T, tr *tree, e exception, from []string, law law) {
	t.Helper()
	if len(law(tr)) == 0 {
		t.Errorf("nobody needs the exception of %s in the law about %v (%s)", e.pkg, from, e.why)
	}
}
