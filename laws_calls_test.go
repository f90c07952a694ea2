package jujube_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"testing"
)

// A use is what some packages must not name: a function, a variable or a type, called or
// handed on, under any alias. Objects are written as go/types does: "time.Now", "(time.Time).Local".
type use struct {
	from    []string
	objects []string
	tests   bool // tests are held to it as well
	why     string
	except  []exception
}

var uses = []use{
	{
		from: []string{"…"}, objects: []string{"time.Sleep"}, tests: true,
		why: "nothing waits by sleeping: wait for an event, a timer or the context",
	},
	{
		from: pure, objects: clock,
		why: "time is an argument",
	},
	{
		from: []string{"statesrv/decide"}, objects: []string{"context.Context", module + "events.Log"},
		why: "a decision asks nobody and waits for nothing",
	},
	{
		from: []string{"…"}, objects: []string{"(*" + module + "bus.Conn).JetStream", module + "bus.Translate"}, tests: true,
		why:    "one package speaks NATS, and it is bus",
		except: []exception{{pkg: "bus…", why: "the packages below bus speak it, too"}},
	},
	{
		from: []string{"cli…"}, objects: []string{module + "bus.Connect"},
		why: "a command gets a connection that holds the log against what this client has seen of it",
		except: []exception{
			{pkg: "cli/session", why: "it makes that connection"},
			{pkg: "cli/clitest…", why: "it plays state servers, agents and attackers"},
		},
	},
	{
		from: []string{"cli…"}, objects: []string{module + "cli/session.ConnectToVerify"},
		why:    "what is read is held against what was seen before it is read",
		except: []exception{{pkg: "cli/inspect", why: "audit verify compares the whole log and says what differs"}},
	},
	{
		from: []string{"…"}, objects: []string{"os.Getenv", "os.LookupEnv", "os.ExpandEnv", "syscall.Getenv"},
		why: "environment variables are read in cmd and handed on",
		except: []exception{
			{pkg: "cmd…", why: "it is where they are read"},
			{pkg: "cli/clitest…", why: "whoever runs the scripts sets how much they copy"},
		},
	},
	{
		from: []string{"…"}, objects: []string{"os.Environ", "syscall.Environ"},
		why: "environment variables are read in cmd and handed on",
		except: []exception{
			{pkg: "cli/local", why: "the jujud that it starts inherits it"},
			{pkg: "agent", why: "workloads and self-tests inherit it"},
			{pkg: "agent/launcher", why: "the agent inherits it"},
			{pkg: "sim…", why: "what is simulated inherits it"},
			{pkg: "cli/clitest…", why: "what scripts run inherits it"},
		},
	},
}

// clock is everything that looks at the time, or waits for it, or asks the host where it is.
var clock = []string{
	"time.Now", "time.Since", "time.Until", "time.After", "time.AfterFunc", "time.Tick", "time.NewTimer", "time.NewTicker",
	"context.WithTimeout", "context.WithTimeoutCause", "context.WithDeadline", "context.WithDeadlineCause",
	"time.Local", "(time.Time).Local",
}

func TestLawOfCalls(t *testing.T) { hold(t, lawOfCalls(uses)) }

func lawOfCalls(table []use) law {
	return func(tr *tree) (found []breach) {
		for _, u := range table {
			for _, s := range tr.sources {
				if s.test && !u.tests || !matchesAny(s.pkg, u.from) || matchesAny(s.pkg, packagesOf(u.except)) {
					continue
				}
				for _, id := range namedIn(s, s.file, u.objects) {
					found = append(found, breach{s.at(id), "uses " + objectName(s.info.Uses[id]) + ": " + u.why})
				}
			}
		}
		return found
	}
}

// namedIn are the places below a node that name one of the objects.
func namedIn(s source, below ast.Node, objects []string) (found []*ast.Ident) {
	ast.Inspect(below, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && slices.Contains(objects, objectName(s.info.Uses[id])) {
			found = append(found, id)
		}
		return true
	})
	return found
}

// objectName is how go/types writes a function, a method, or a variable or type of a package;
// "" is anything else.
func objectName(o types.Object) string {
	switch o := o.(type) {
	case *types.Func:
		return o.Origin().FullName()
	case *types.Var, *types.TypeName:
		if o.Pkg() != nil && o.Parent() == o.Pkg().Scope() {
			return o.Pkg().Path() + "." + o.Name()
		}
	}
	return ""
}

func TestLawOfGoroutines(t *testing.T) { hold(t, lawOfGoroutines) }

func lawOfGoroutines(tr *tree) (found []breach) {
	for _, s := range tr.sources {
		if s.test || !matchesAny(s.pkg, pure) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if what := concurrent(n); what != "" {
				found = append(found, breach{s.at(n), what + ": facts, folds and decisions happen one after the other"})
			}
			return true
		})
	}
	return found
}

// concurrent says what a node has to do with goroutines.
func concurrent(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "starts a goroutine"
	case *ast.ChanType:
		return "has a channel"
	case *ast.SelectStmt:
		return "waits for channels"
	case *ast.SendStmt:
		return "sends to a channel"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "receives from a channel"
		}
	}
	return ""
}
