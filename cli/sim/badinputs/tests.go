package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// findTests gives the tests that name each input: Go tests in whose name or text it
// stands, tables that a test goes through, and scripts.
func findTests(root string) (map[string][]string, error) {
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "badinputs"):
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			return inGo(root, path, found)
		case strings.HasSuffix(path, ".txtar"):
			return inScript(path, found)
		}
		return nil
	})
	return found, err
}

func inScript(path string, found map[string][]string) error {
	b, err := os.ReadFile(path)
	name := filepath.Base(path)
	for _, id := range idsIn(name + "\n" + string(b)) {
		found[id] = append(found[id], "script `"+strings.TrimSuffix(name, ".txtar")+"`")
	}
	return err
}

// inGo looks at every test of a file, and at the tables and helpers that the file declares
// for them.
func inGo(root, path string, found map[string][]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		return err
	}
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	shared := map[string][]string{} // name of a table or helper → ids
	for _, d := range file.Decls {
		for _, name := range names(d) {
			if !isTest(name) {
				shared[name] = append(shared[name], said(d)...)
			}
		}
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !isTest(f.Name.Name) {
			continue
		}
		ids := append(idsIn(f.Name.Name), said(d)...)
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				ids = append(ids, shared[id.Name]...)
			}
			return true
		})
		for _, id := range ids {
			found[id] = append(found[id], fmt.Sprintf("%s `%s`", filepath.ToSlash(dir), f.Name.Name))
		}
	}
	return nil
}

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")
}

// names are what a declaration declares.
func names(d ast.Decl) []string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return []string{d.Name.Name}
	case *ast.GenDecl:
		var all []string
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				for _, n := range v.Names {
					all = append(all, n.Name)
				}
			}
		}
		return all
	}
	return nil
}

// said are the ids in the strings of a declaration.
func said(d ast.Decl) []string {
	var ids []string
	ast.Inspect(d, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			ids = append(ids, idsIn(lit.Value)...)
		}
		return true
	})
	return ids
}
