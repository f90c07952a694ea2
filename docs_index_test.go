package jujube_test

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/tools/go/packages"
)

// An index holds what documents may speak of.
type index struct {
	names     map[string]bool           // Go names of the module: "Fold", "projections.State", "State.Fold", "projections.State.Fold", ".Fold"
	isPackage map[string]bool           // the names of the module's packages
	packages  map[string]*types.Package // by name: what the module imports from elsewhere
	words     map[string]bool           // strings that the product's code writes down: codes, kinds of events, settings, files, flags
	files     map[string]bool           // the names of files, with and without their endings
}

// indexed is the index of this module.
var indexed = sync.OnceValues(func() (*index, error) {
	tr, err := ours()
	if err != nil {
		return nil, err
	}
	x := &index{names: map[string]bool{}, isPackage: map[string]bool{}, packages: map[string]*types.Package{}, words: map[string]bool{}, files: map[string]bool{}}
	for _, p := range tr.typed {
		x.addPackage(p)
	}
	for _, s := range tr.product("…") {
		x.addWords(s.file)
	}
	return x, filepath.WalkDir(".", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() == ".git" && d.IsDir() {
			return cmp.Or(err, filepath.SkipDir)
		}
		x.files[d.Name()], x.files[strings.TrimSuffix(d.Name(), filepath.Ext(path))] = true, true
		return nil
	})
})

func (x *index) addPackage(p *packages.Package) {
	name := strings.TrimSuffix(p.Types.Name(), "_test")
	x.names[name], x.isPackage[name] = true, true
	for _, o := range scopeOf(p.Types) {
		x.addName(name, o.Name())
		for _, member := range membersOf(o) {
			x.addName(name, o.Name()+"."+member)
			x.names["."+member] = true
		}
	}
	for _, imported := range p.Imports {
		if imported.Types != nil && !strings.HasPrefix(imported.PkgPath, module) {
			x.packages[imported.Types.Name()] = imported.Types
		}
	}
}

func (x *index) addName(pkg, name string) {
	x.names[name], x.names[pkg+"."+name] = true, true
}

// addWords takes the strings of a file. The kinds of events carry a number, "order.issued/1",
// which nobody says.
func (x *index) addWords(f *ast.File) {
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				x.words[s] = true
				if kind, number, ok := strings.Cut(s, "/"); ok && strings.Contains(kind, ".") && len(number) == 1 {
					x.words[kind] = true
				}
			}
		}
		return true
	})
}

// has says whether a dotted name is one of Go's: of this module or of what it imports.
func (x *index) has(name string) bool {
	if x.names[name] {
		return true
	}
	pkg, rest, _ := strings.Cut(name, ".")
	typ, member, _ := strings.Cut(rest, ".")
	if p := x.packages[pkg]; p != nil {
		o := p.Scope().Lookup(typ)
		return o != nil && (member == "" || slices.Contains(membersOf(o), member))
	}
	return false
}

func scopeOf(p *types.Package) (found []types.Object) {
	for _, name := range p.Scope().Names() {
		found = append(found, p.Scope().Lookup(name))
	}
	return found
}

// membersOf are the methods and fields of a type, those of what it embeds included.
func membersOf(o types.Object) (names []string) {
	t, ok := o.(*types.TypeName)
	if !ok {
		return nil
	}
	set := types.NewMethodSet(types.NewPointer(t.Type()))
	if types.IsInterface(t.Type()) {
		set = types.NewMethodSet(t.Type())
	}
	for i := range set.Len() {
		names = append(names, set.At(i).Obj().Name())
	}
	if s, ok := t.Type().Underlying().(*types.Struct); ok {
		for i := range s.NumFields() {
			names = append(names, s.Field(i).Name())
		}
	}
	return names
}
