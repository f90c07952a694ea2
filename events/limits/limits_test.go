package limits_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/LIMITS.md")

// untried are limits that no test tries. Some are too large to be reached in a moment: a gigabyte, a day, ten
// thousand of something. Others refuse nothing but cut a text or a list.
var untried = map[string]bool{
	"AnswerBytes": true, "PendingBytes": true, "Connections": true, "QueuedChanges": true, "TrailingBytes": true,
	"UploadIdle": true, "UploadKept": true, "ReasonBytes": true, "FailureText": true, "FailureOutput": true, "Marks": true, "WaitingProgress": true,
	"RestartsAtOnce": true, "Redirects": true, "RequestsStored": true,
	"UnreadBytes": true, "UnreadTime": true, "HalfOpen": true, "ConnectionsOfToken": true, "ClosedKept": true, "UploadParts": true, "Uploads": true,
}

// limit is one constant of limits.go.
type limit struct{ group, name, value, what string }

func declared(t *testing.T) (all []limit) {
	t.Helper()
	src, err := os.ReadFile("limits.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "limits.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			at, end := set.Position(v.Values[0].Pos()).Offset, set.Position(v.Values[0].End()).Offset
			all = append(all, limit{strings.TrimSpace(g.Doc.Text()), v.Names[0].Name, string(src[at:end]), strings.TrimSpace(v.Comment.Text())})
		}
	}
	return all
}

// docs/LIMITS.md is what is generated from limits.go now.
func TestDocumentOfLimits(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("# Limits\n\nMade from package events/limits by `go test ./events/limits -update`; do not edit. Each is\ntried, at the limit and one past " +
		"it, by a test that names it.\n")
	group := ""
	for _, l := range declared(t) {
		if l.group != group {
			group = l.group
			fmt.Fprintf(&b, "\n%s\n\n| Limit | Value | Of what |\n|---|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", l.name, l.value, l.what)
	}
	path := filepath.Join("..", "..", "docs", "LIMITS.md")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(have, b.Bytes()) {
		t.Fatalf("docs/LIMITS.md is not what limits.go says (%v): go test ./events/limits -update", err)
	}
}

// Product code uses every limit, and a test names it.
func TestEveryLimitIsUsedAndTried(t *testing.T) {
	used, tried := map[string]bool{}, map[string]bool{}
	all := declared(t)
	err := filepath.WalkDir(filepath.Join("..", ".."), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.Contains(path, filepath.Join("events", "limits")+string(filepath.Separator)) {
			return err
		}
		src, err := os.ReadFile(path)
		for _, l := range all {
			if i := bytes.Index(src, []byte("limits."+l.name)); i >= 0 {
				if strings.HasSuffix(path, "_test.go") || strings.Contains(path, "logtest") {
					tried[l.name] = true
				} else {
					used[l.name] = true
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range all {
		if !used[l.name] {
			t.Errorf("nothing enforces limits.%s", l.name)
		}
		if !tried[l.name] && !untried[l.name] {
			t.Errorf("no test names limits.%s", l.name)
		}
	}
}
