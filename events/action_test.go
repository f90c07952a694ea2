package events_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
)

func TestEveryActionHasItsRow(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "action.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if ok && strings.HasPrefix(spec.Names[0].Name, "Action") && len(spec.Values) == 1 {
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
				name, _ := strconv.Unquote(lit.Value)
				declared[name] = true
			}
		}
		return true
	})
	if len(declared) < 15 {
		t.Fatalf("found %d actions in the source: %v", len(declared), declared)
	}
	for name := range declared {
		if _, ok := events.Actions[name]; !ok {
			t.Errorf("action %s has no row in Actions", name)
		}
	}
	for name, a := range events.Actions {
		if a.Agree == 0 {
			t.Errorf("action %q does not say who must agree", name)
		}
		if a.LetsRun && a.Agree != events.MachinesAgree && name != events.ActionRestart {
			t.Errorf("action %q lets machines run something, and no quorum is asked for it", name)
		}
		if !declared[name] || a.Role == "" || a.Role == events.RoleRead {
			t.Errorf("action %q with the role %q: it has no constant, or nobody could be kept from asking for it", name, a.Role)
		}
	}
}

func TestUnknownActionNeedsTheHighestRole(t *testing.T) {
	if got, want := events.ActionOf("shave-yak"), (events.Action{Role: events.RoleAdmin, Agree: events.MachinesAgree}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
