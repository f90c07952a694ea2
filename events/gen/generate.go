package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const head = `# Events

Generated from package events by ` + "`go generate ./events`" + `; do not edit.

The log of an environment is a sequence of records. A record is one line with its
envelope, then its payload as JSON:

    jujube/1 ID KIND TIME ENTITY ACTOR CAUSATION CORRELATION
    {"…": …}
    jujube/2 ID KIND TIME ENTITY ACTOR CAUSATION CORRELATION KEY SIGNATURE
    {"…": …}

The second form carries the signature of who says it over kind, entity and payload, byte for
byte: a machine its reports, a state server everything else. What a state server signs begins
with its place, ` + "`{\"place\":{\"environment\":\"UUID\",\"seq\":N},…`" + `: it counts in that environment, at
that position. TIME is in nanoseconds since 1970, an empty field is ` + "`-`" + `. A record lies under the
subject ` + "`log.ENTITY`" + ` of the stream LOG. It is never changed: a kind that must mean
something else gets a new number, and an upcaster from the old one.
`

// entities is what the functions of names.go return, with capitals in place of what varies.
var entities = map[string]string{
	"entityEnvironment": "environment",
	"entityTools":       "tools",
	"entityTrust":       "trust",
	"entityTrustSigned": "metadata",
	"entityMachine":     "machine.machine-N",
	"entityUnit":        "unit.unit-SERVICE-N",
	"entityUpgrade":     "upgrade.ID",
	"entityRequest":     "request.ID",
	"entityAgentOrder":  "order.machine-N.agent",
	"entityUnitsOrder":  "order.machine-N.units",
}

// source holds what the declarations of a package say.
type source struct {
	structs  map[string]*ast.StructType
	docs     map[string]string // of types
	entities map[string]string // of types: their Entity method
	kinds    []kind            // in the order of kinds.go
}

type kind struct{ name, typ string }

// generate gives the document for the package in dir.
func generate(dir string) ([]byte, error) {
	src, err := read(dir, filepath.Join(dir, "reason")) // events.Reason is an alias of reason.Reason
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.WriteString(head)
	for _, group := range src.groups() {
		fmt.Fprintf(&out, "\n## %s\n", group[0].noun())
		for _, k := range group {
			if err := src.kind(&out, k); err != nil {
				return nil, err
			}
		}
	}
	out.WriteString("\n## Parts\n")
	for _, name := range src.parts() {
		fmt.Fprintf(&out, "\n### %s\n\n%s\n\n", name, src.docs[name])
		src.fields(&out, name)
	}
	return out.Bytes(), nil
}

func (k kind) noun() string {
	noun, _, _ := strings.Cut(k.name, ".")
	return noun
}

// groups are the kinds by their first word. A word comes where its first kind comes.
func (s *source) groups() [][]kind {
	var groups [][]kind
	at := map[string]int{}
	for _, k := range s.kinds {
		i, ok := at[k.noun()]
		if !ok {
			i = len(groups)
			at[k.noun()] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], k)
	}
	return groups
}

func (s *source) kind(out *bytes.Buffer, k kind) error {
	entity := s.entity(k.typ)
	if s.docs[k.typ] == "" || entity == "" {
		return fmt.Errorf("%s (%s) has no comment or no entity", k.name, k.typ)
	}
	fmt.Fprintf(out, "\n### %s\n\n%s\n\nEntity: `%s`\n\n", k.name, s.docs[k.typ], entity)
	s.fields(out, k.typ)
	return nil
}

// entity is the entity of a type: its own, or that of a type that it embeds.
func (s *source) entity(typ string) string {
	if e := s.entities[typ]; e != "" {
		return e
	}
	if st := s.structs[typ]; st != nil {
		for _, f := range st.Fields.List {
			if len(f.Names) == 0 {
				if e := s.entity(text(f.Type)); e != "" {
					return e
				}
			}
		}
	}
	return ""
}

// fields writes the table of a type's JSON fields. The fields of an embedded type come where it is embedded.
func (s *source) fields(out *bytes.Buffer, typ string) {
	rows := s.rows(typ)
	if len(rows) == 0 {
		return
	}
	out.WriteString("| field | type | |\n|---|---|---|\n")
	for _, r := range rows {
		out.WriteString(r)
	}
}

func (s *source) rows(typ string) []string {
	var rows []string
	for _, f := range s.structs[typ].Fields.List {
		if len(f.Names) == 0 {
			rows = append(rows, s.rows(text(f.Type))...)
			continue
		}
		name, options, _ := strings.Cut(jsonTag(f), ",")
		note := strings.TrimSpace(f.Comment.Text())
		if options != "" {
			note = strings.TrimSpace(note + " (may be absent)")
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |\n", name, text(f.Type), strings.ReplaceAll(note, "|", `\|`)))
	}
	return rows
}

func jsonTag(f *ast.Field) string {
	if f.Tag == nil {
		return f.Names[0].Name
	}
	tag, _ := strings.CutPrefix(strings.Trim(f.Tag.Value, "`"), `json:"`)
	tag, _, _ = strings.Cut(tag, `"`)
	return tag
}

// parts are the types of this package that fields of kinds have.
func (s *source) parts() []string {
	found := map[string]bool{}
	var visit func(typ string)
	visit = func(typ string) {
		for _, f := range s.structs[typ].Fields.List {
			name := strings.TrimLeft(text(f.Type), "[]*")
			if s.structs[name] == nil {
				continue
			}
			if len(f.Names) > 0 {
				found[name] = true
			}
			visit(name)
		}
	}
	for _, k := range s.kinds {
		visit(k.typ)
	}
	names := make([]string, 0, len(found))
	for n := range found {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// text writes a type as Go does.
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return text(e.X) + "." + e.Sel.Name
	case *ast.StarExpr:
		return "*" + text(e.X)
	case *ast.ArrayType:
		return "[]" + text(e.Elt)
	case *ast.MapType:
		return "map[" + text(e.Key) + "]" + text(e.Value)
	}
	return "?"
}

// read parses the files of packages.
func read(dirs ...string) (*source, error) {
	src := &source{structs: map[string]*ast.StructType{}, docs: map[string]string{}, entities: map[string]string{}}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("read %s: %w", dir, fs.ErrNotExist)
		}
		for _, name := range files {
			if err := src.file(name); err != nil {
				return nil, err
			}
		}
	}
	return src, nil
}

// file reads the declarations of one file; those of tests are left out.
func (s *source) file(name string) error {
	if strings.HasSuffix(name, "_test.go") {
		return nil
	}
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, d := range f.Decls {
		s.declaration(d)
	}
	return nil
}

func (s *source) declaration(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil && d.Name.Name == "Entity" {
			s.entities[strings.TrimLeft(text(d.Recv.List[0].Type), "*")] = entityOf(d)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if st, ok := spec.Type.(*ast.StructType); ok {
					s.structs[spec.Name.Name] = st
					s.docs[spec.Name.Name] = strings.TrimSpace(d.Doc.Text())
				}
			case *ast.ValueSpec:
				if spec.Names[0].Name == "kinds" {
					s.readKinds(spec.Values[0].(*ast.CompositeLit))
				}
			}
		}
	}
}

// entityOf reads "return entityX" or "return entityX(…)".
func entityOf(d *ast.FuncDecl) string {
	ret, ok := d.Body.List[0].(*ast.ReturnStmt)
	if !ok {
		return ""
	}
	result := ret.Results[0]
	if call, ok := result.(*ast.CallExpr); ok {
		result = call.Fun
	}
	return entities[text(result)]
}

// readKinds reads `"name": func() Payload { return &Type{} }` pairs.
func (s *source) readKinds(table *ast.CompositeLit) {
	for _, e := range table.Elts {
		pair := e.(*ast.KeyValueExpr)
		name, _ := strconv.Unquote(pair.Key.(*ast.BasicLit).Value)
		ret := pair.Value.(*ast.FuncLit).Body.List[0].(*ast.ReturnStmt)
		typ := ret.Results[0].(*ast.UnaryExpr).X.(*ast.CompositeLit).Type
		s.kinds = append(s.kinds, kind{name, text(typ)})
	}
}
