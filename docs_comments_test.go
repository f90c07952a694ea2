package jujube_test

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

var (
	docLink  = regexp.MustCompile(`\[\*?([A-Za-z_][\w./]*)\]`)
	selector = regexp.MustCompile(`\b([A-Za-z_]\w*)\.([A-Z]\w*)(?:\.([A-Z]\w*))?\b`)
	fileName = regexp.MustCompile(`[\w*]+\.go\b`)
	testName = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w*`)
)

// What a comment names exists. The comment of a package may also link to names: [State.Fold].
func TestDocsOfPackagesNameWhatExists(t *testing.T) {
	tr, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	x, err := indexed()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range tr.sources {
		for _, comment := range s.file.Comments {
			names := namesIn(x, comment.Text())
			if comment == s.file.Doc {
				names = append(names, linksIn(x, s.file.Name.Name, comment.Text())...)
			}
			for _, name := range names {
				if !x.has(name) && !x.hasFile(name) && outside[name] == "" {
					t.Errorf("%s: %s: there is no such name", s.at(comment), name)
				}
			}
		}
	}
}

// linksIn are the links in the comment of a package.
func linksIn(x *index, pkg, text string) (names []string) {
	for _, m := range docLink.FindAllStringSubmatch(text, -1) {
		name := m[1][strings.LastIndex(m[1], "/")+1:]
		if !x.has(name) {
			name = pkg + "." + name
		}
		names = append(names, name)
	}
	return names
}

// namesIn are the Go names in a comment: tests, files, and what is written as a member of a
// package or a type. Subjects of NATS look like that, too: log.ENTITY.
func namesIn(x *index, text string) (names []string) {
	for line := range strings.Lines(text) {
		for _, m := range selector.FindAllStringSubmatch(line, -1) {
			known := x.packages[m[1]] != nil || x.has(m[1]) && (x.isPackage[m[1]] || ast.IsExported(m[1]))
			switch {
			case m[2] == strings.ToUpper(m[2]) || strings.Contains(line, m[0]+"…"):
			case strings.HasPrefix(line, "\t") && !x.has(m[0]): // an example, with variables of its own
				names = append(names, "."+m[2])
			case known:
				names = append(names, m[0])
			}
		}
	}
	names = append(names, testName.FindAllString(text, -1)...)
	return append(names, fileName.FindAllString(text, -1)...)
}
