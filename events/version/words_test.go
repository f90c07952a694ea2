package version_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events/version"
)

// The tables explain every word that is declared, and no other word.
func TestWordsAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "question.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		for _, prefix := range []string{"Reason", "Code"} {
			if lit, ok := v.Values[0].(*ast.BasicLit); ok && strings.HasPrefix(v.Names[0].Name, prefix) {
				word, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				declared[prefix] = append(declared[prefix], word)
			}
		}
		return true
	})
	for prefix, list := range map[string][]version.Word{"Reason": version.Reasons, "Code": version.Codes} {
		var explained []string
		for _, w := range list {
			explained = append(explained, w.Word)
			if w.Meaning == "" {
				t.Errorf("%s has no meaning", w.Word)
			}
		}
		slices.Sort(explained)
		slices.Sort(declared[prefix])
		if !slices.Equal(explained, declared[prefix]) {
			t.Errorf("%s…: explained %q, declared %q", prefix, explained, declared[prefix])
		}
	}
}
