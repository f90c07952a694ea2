package jujube_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
)

func TestLawOfCodes(t *testing.T) { hold(t, lawOfCodes(codeWords())) }

// codeWords are the words of the table of codes.
func codeWords() (words []string) {
	for _, g := range events.Codes {
		for _, c := range g.Codes {
			words = append(words, c.Word)
		}
	}
	return words
}

func TestCodesAreExplainedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, g := range events.Codes {
		for _, c := range g.Codes {
			if seen[c.Word] {
				t.Errorf("%s has two rows in events.Codes", c.Word)
			}
			seen[c.Word] = true
			if !strings.HasSuffix(c.Meaning, ".") || !strings.HasSuffix(c.Next, ".") || strings.Contains(c.Meaning+c.Next, "|") {
				t.Errorf("%s: its meaning and what to do are sentences, without a bar: %q, %q", c.Word, c.Meaning, c.Next)
			}
		}
	}
}

// lawOfCodes: the constants called Code… or Found… are the codes. Each stands in the table, each
// row of the table is one that somebody uses, and nobody writes a code out instead of using its
// constant.
func lawOfCodes(table []string) law {
	return func(tr *tree) (found []breach) {
		declared, used := map[string]string{}, map[string]bool{}
		for _, s := range tr.sources {
			if !isProduct(s) {
				continue
			}
			c := codesOf(s)
			for _, d := range c.declared {
				switch at, twice := declared[d.text]; {
				case !slices.Contains(table, d.text):
					found = append(found, breach{d.at, fmt.Sprintf("declares the code %q, which has no row in events.Codes", d.text)})
				case twice:
					found = append(found, breach{d.at, fmt.Sprintf("declares the code %q again: %s declares it", d.text, at)})
				}
				declared[d.text] = d.at
			}
			for _, word := range c.used {
				used[word] = true
			}
			for _, w := range c.written {
				found = append(found, breach{w.at, fmt.Sprintf("writes the code %q out: give it a constant, with a row in events.Codes", w.text)})
			}
		}
		for _, word := range table {
			switch at, ok := declared[word]; {
			case !ok:
				found = append(found, breach{"events.Codes", fmt.Sprintf("explains %q, which is no constant's code", word)})
			case !used[word]:
				found = append(found, breach{at, fmt.Sprintf("declares the code %q, which nobody uses", word)})
			}
		}
		return found
	}
}

// codes are what one file has to do with codes.
type codes struct {
	declared []breach // constants whose value is written there: where, and the value
	used     []string
	written  []breach // strings in a place that holds a code: where, and the string
}

func codesOf(s source) (c codes) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ValueSpec:
			c.declare(s, n)
		case *ast.CompositeLit:
			if explains(s.info.TypeOf(n)) {
				return false // a table that explains a code does not use it
			}
		case *ast.Ident:
			if o, ok := s.info.Uses[n].(*types.Const); ok && isCode(o) {
				c.used = append(c.used, constant.StringVal(o.Val()))
			}
		}
		for _, e := range codesWrittenIn(s, n) {
			if lit, ok := ast.Unparen(e).(*ast.BasicLit); ok && lit.Kind == token.STRING && len(lit.Value) > 2 {
				word, _ := strconv.Unquote(lit.Value)
				c.written = append(c.written, breach{s.at(lit), word})
			}
		}
		return true
	})
	return c
}

// declare takes the constants whose value is written out. One that is another's value is a
// second name of that.
func (c *codes) declare(s source, spec *ast.ValueSpec) {
	for i, name := range spec.Names {
		o, ok := s.info.Defs[name].(*types.Const)
		if !ok || !isCode(o) || i >= len(spec.Values) {
			continue
		}
		if _, literal := spec.Values[i].(*ast.BasicLit); literal {
			c.declared = append(c.declared, breach{s.at(name), constant.StringVal(o.Val())})
		}
	}
}

// isCode says whether a constant is a code, by its name.
func isCode(o *types.Const) bool {
	for _, prefix := range []string{"Code", "code", "Found"} {
		if rest, ok := strings.CutPrefix(o.Name(), prefix); ok && rest != "" && rest[0] >= 'A' && rest[0] <= 'Z' {
			return o.Val().Kind() == constant.String
		}
	}
	return false
}

// explains says whether a literal is the table of codes, or package version's of its own.
func explains(t types.Type) bool {
	list, ok := t.(*types.Slice)
	if !ok {
		return false
	}
	named, ok := list.Elem().(*types.Named)
	return ok && (named.Obj().Name() == "Code" || named.Obj().Name() == "Word")
}

// codesWrittenIn are the values that a node gives to something called "code": a field, a
// parameter, a variable or a result; and what it compares with one.
func codesWrittenIn(s source, n ast.Node) (values []ast.Expr) {
	give := func(name string, e ast.Expr) {
		if strings.EqualFold(name, "code") {
			values = append(values, e)
		}
	}
	switch n := n.(type) {
	case *ast.CompositeLit:
		fields, _ := s.info.TypeOf(n).Underlying().(*types.Struct)
		for i, e := range n.Elts {
			if pair, ok := e.(*ast.KeyValueExpr); ok {
				give(nameOf(pair.Key), pair.Value)
			} else if fields != nil {
				give(fields.Field(i).Name(), e)
			}
		}
	case *ast.CallExpr:
		if f, ok := s.info.TypeOf(n.Fun).Underlying().(*types.Signature); ok {
			for i, e := range n.Args[:min(len(n.Args), f.Params().Len())] {
				give(f.Params().At(i).Name(), e)
			}
		}
	case *ast.AssignStmt:
		for i, e := range n.Rhs[:min(len(n.Lhs), len(n.Rhs))] {
			give(nameOf(n.Lhs[i]), e)
		}
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			give(nameOf(n.X), n.Y)
			give(nameOf(n.Y), n.X)
		}
	case *ast.SwitchStmt:
		for _, clause := range n.Body.List {
			for _, e := range clause.(*ast.CaseClause).List {
				give(nameOf(n.Tag), e)
			}
		}
	case *ast.FuncDecl:
		values = append(values, returned(n.Type, n.Body)...)
	case *ast.FuncLit:
		values = append(values, returned(n.Type, n.Body)...)
	}
	return values
}

// returned are the values that a function returns as its result "code".
func returned(typ *ast.FuncType, body *ast.BlockStmt) (values []ast.Expr) {
	if typ.Results == nil || body == nil {
		return nil
	}
	var names []string
	for _, f := range typ.Results.List {
		for _, name := range f.Names {
			names = append(names, name.Name)
		}
	}
	i := slices.Index(names, "code")
	ast.Inspect(body, func(n ast.Node) bool {
		if ret, ok := n.(*ast.ReturnStmt); ok && i >= 0 && len(ret.Results) == len(names) {
			values = append(values, ret.Results[i])
		}
		_, inner := n.(*ast.FuncLit)
		return !inner
	})
	return values
}

// nameOf is the last name of an expression: "Code" of r.Code.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
