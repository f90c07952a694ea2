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

// findTests gives, for each input, the tests that name it: a Go test that has the id in its name
// or in its text, or in a table or helper that it uses, and a script that names the id.
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

// inGo looks at every test of a file, and at the tables and helpers of the same file that the test
// uses, directly or through others.
func inGo(root, path string, found map[string][]string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
	if err != nil {
		return err
	}
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	start := int(file.FileStart)
	declared := map[string][]ast.Decl{}
	for _, d := range file.Decls {
		for _, name := range names(d) {
			declared[name] = append(declared[name], d)
		}
	}
	for name := range declared {
		if !isTest(name) {
			continue
		}
		for _, id := range idsFrom(name, declared, map[string]bool{}, func(d ast.Decl) string {
			return string(text[int(d.Pos())-start : int(d.End())-start])
		}) {
			found[id] = append(found[id], fmt.Sprintf("%s `%s`", filepath.ToSlash(dir), name))
		}
	}
	return nil
}

// idsFrom finds the ids in the declaration of a name, and in the declarations that it uses.
func idsFrom(name string, declared map[string][]ast.Decl, seen map[string]bool, textOf func(ast.Decl) string) []string {
	if seen[name] {
		return nil
	}
	seen[name] = true
	var ids []string
	for _, d := range declared[name] {
		ids = append(ids, idsIn(textOf(d))...)
		ast.Inspect(d, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && !isTest(id.Name) {
				ids = append(ids, idsFrom(id.Name, declared, seen, textOf)...)
			}
			return true
		})
	}
	return ids
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
