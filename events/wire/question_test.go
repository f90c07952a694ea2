package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// loop hands a question straight to its answer, as a bus between client and state server
// would, and keeps what went over it.
type loop struct {
	answer         wire.Answer
	body, answered []byte
}

func (l *loop) Ask(ctx context.Context, name string, body []byte) (answer []byte, err error) {
	if name != l.answer.Name {
		return nil, errors.New("there is no such query")
	}
	l.body = body
	l.answered, err = l.answer.Answer(ctx, body)
	return l.answered, err
}

// ask asks a question over a loop and returns what went over it.
func ask[Q, A any](t *testing.T, q wire.Question[Q, A], about Q, answer A) (body, answered string) {
	t.Helper()
	l := &loop{answer: q.AnsweredBy(func(context.Context, Q) (A, error) { return answer, nil })}
	got, err := q.Ask(t.Context(), l, about)
	if err != nil {
		t.Fatalf("%s: %v", q.Name, err)
	}
	want, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := json.Marshal(got); err != nil || string(b) != string(want) {
		t.Errorf("%s: the answer %s arrives as %s (%v)", q.Name, want, b, err)
	}
	return string(l.body), string(l.answered)
}

// A question and its answer are the same bytes in every version: clients and state servers
// of different versions speak with each other while the environment is upgraded.
func TestBytesOfQuestions(t *testing.T) {
	number := version.Number{Major: 1, Minor: 25}
	for _, c := range []struct {
		name           string
		body, answered string
		ask            func() (body, answered string)
	}{
		{"nothing, raw bytes", "", "{ }", func() (string, string) { return ask(t, wire.Status, wire.Nothing{}, wire.Raw("{ }")) }},
		{"nothing, JSON", "", `{"seq":7,"digest":"d"}`, func() (string, string) {
			return ask(t, wire.Digest, wire.Nothing{}, wire.Position{Seq: 7, Digest: "d"})
		}},
		{"a version", "", `{"version":"1.25.0"}`, func() (string, string) {
			return ask(t, wire.Version, wire.Nothing{}, wire.Running{Version: number})
		}},
		{"the environment", "", `{"uuid":"u","name":"n","agent_version":"1.25.0","settings":{"k":"v"},"set":["k"],` +
			`"server_version":"1.25.0"}`, func() (string, string) {
			return ask(t, wire.Environment, wire.Nothing{}, wire.EnvironmentInfo{
				UUID: "u", Name: "n", AgentVersion: number, Settings: map[string]string{"k": "v"}, Set: []string{"k"}, Server: number,
			})
		}},
		{"a number", "12", `{"checkpoint":"bm90ZQ=="}`, func() (string, string) {
			return ask(t, wire.LogProof, 12, wire.Proof{Checkpoint: []byte("note")})
		}},
		{"hashes", "", strings.Repeat("a", 32) + strings.Repeat("b", 32), func() (string, string) {
			return ask(t, wire.LogLeaves, wire.Nothing{}, wire.Leaves{tree.Hash([]byte(strings.Repeat("a", 32))), tree.Hash([]byte(strings.Repeat("b", 32)))})
		}},
		{"what is stored", "stored", `{"stored":[],"sources":[],"problems":[],"marks":[],"said":{},"in_use":[]}`, func() (string, string) {
			return ask(t, wire.Tools, wire.OnlyStored, wire.Catalogue{
				Stored: []tools.Tools{}, Sources: []wire.FoundTools{}, Problems: []string{},
				Marks: []tools.Marked{}, Said: tools.SaidBy{}, InUse: []wire.Platform{},
			})
		}},
		{"all tools", "", `{"stored":null,"sources":null,"problems":["p"],"marks":null,"said":null,"in_use":null}`, func() (string, string) {
			return ask(t, wire.Tools, wire.WithSources, wire.Catalogue{Problems: []string{"p"}})
		}},
		{"a list", "", `[{"sha256":"s","size_bytes":3}]`, func() (string, string) {
			return ask(t, wire.ToolsObjects, wire.Nothing{}, []wire.Object{{SHA256: "s", Size: 3}})
		}},
		{"a digest", "abc", `{"size_bytes":3,"sha256":"abc"}`, func() (string, string) {
			return ask(t, wire.ToolsHash, "abc", wire.Hashed{Size: 3, SHA256: "abc"})
		}},
		{"a key, a JWT", "UKEY", "ey.J", func() (string, string) { return ask(t, wire.OperatorCredentials, "UKEY", wire.Text("ey.J")) }},
		{"credentials", "", `{"jwt":"j","seed":"s"}`, func() (string, string) {
			return ask(t, wire.EnrolCredentials, wire.Nothing{}, wire.Credentials{JWT: "j", Seed: "s"})
		}},
		{"a piece", `{"bundle":{"sha256":"s","size_bytes":2},"offset":1,"data":"eA==","key":"K","signature":"eQ=="}`, `{"next":2}`, func() (string, string) {
			piece := wire.StagePiece{Bundle: events.Object{SHA256: "s", Size: 2}, Offset: 1, Data: []byte("x"), Key: "K", Signature: []byte("y")}
			return ask(t, wire.TrustStage, piece, wire.Staged{Next: 2})
		}},
		{"a request that waits", "u", `{"upgrade":"u","signed":"cw==","agreed":["alice"],"needed":2}`, func() (string, string) {
			return ask(t, wire.Pending, "u", wire.Waiting{ID: "u", Signed: []byte("s"), Agreed: []string{"alice"}, Needed: 2})
		}},
	} {
		if body, answered := c.ask(); body != c.body || answered != c.answered {
			t.Errorf("%s: asked with %q and answered with %q, expected %q and %q", c.name, body, answered, c.body, c.answered)
		}
	}
}

func TestQuestionThatNobodyCanRead(t *testing.T) {
	a := wire.UpgradeCheck.AnsweredBy(func(context.Context, events.AskUpgrade) (wire.Check, error) {
		t.Error("it was answered")
		return wire.Check{}, nil
	})
	if _, err := a.Answer(t.Context(), []byte("not json")); err == nil || !strings.Contains(err.Error(), "read the question: ") {
		t.Errorf("%v", err)
	}
	other := wire.AskerFunc(func(context.Context, string, []byte) ([]byte, error) { return []byte("1.20"), nil })
	if _, err := wire.Digest.Ask(t.Context(), other, wire.Nothing{}); err == nil || !strings.Contains(err.Error(), "it may be of another version than this juju") {
		t.Errorf("%v", err)
	}
}

// A client that has seen nothing of the log may say nothing.
func TestSeenNothing(t *testing.T) {
	a := wire.LogProof.AnsweredBy(func(_ context.Context, seen wire.Seen) (wire.Proof, error) {
		if seen != 0 {
			t.Errorf("it has seen %d", seen)
		}
		return wire.Proof{}, nil
	})
	if _, err := a.Answer(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// Every question is in the list, once.
func TestListOfQuestions(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "questions.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		if q, ok := n.(*ast.IndexListExpr); ok && q.X.(*ast.Ident).Name == "Question" {
			declared++
		}
		return true
	})
	names := map[string]bool{}
	for _, q := range wire.Questions {
		names[q.QuestionName()] = true
	}
	if declared == 0 || len(names) != declared || len(wire.Questions) != declared {
		t.Errorf("%d questions are declared, %d are in the list, under %d names", declared, len(wire.Questions), len(names))
	}
}

// Whoever sits on the bus could have written a question or an answer.
func FuzzQuestions(f *testing.F) {
	for _, seed := range []string{
		`{"tools":[],"problems":[]}`, `{"to":"1.2.3","client":"1.2.3","artefacts":[]}`, `{"action":"upgrade","upgrade":{"to":"1.2.3"}}`, "12", "", `"x"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		carried := wire.AskerFunc(func(context.Context, string, []byte) ([]byte, error) { return b, nil })
		_, _ = wire.Digest.Ask(t.Context(), carried, wire.Nothing{})
		_, _ = wire.Environment.Ask(t.Context(), carried, wire.Nothing{})
		_, _ = wire.LogProof.Ask(t.Context(), carried, 0)
		_, _ = wire.Tools.Ask(t.Context(), carried, wire.WithSources)
		_, _ = wire.Pending.Ask(t.Context(), carried, "u")
		if leaves, err := wire.LogLeaves.Ask(t.Context(), carried, wire.Nothing{}); err == nil && len(leaves)*len(tree.Hash{}) != len(b) {
			t.Errorf("%d bytes are %d hashes", len(b), len(leaves))
		}
		for _, a := range []wire.Answer{
			answers(wire.UpgradeCheck), answers(wire.Resolve), answers(wire.TrustStage), answers(wire.LogProof), answers(wire.ToolsHash),
		} {
			_, _ = a.Answer(t.Context(), b)
		}
	})
}

func answers[Q, A any](q wire.Question[Q, A]) wire.Answer {
	return q.AnsweredBy(func(context.Context, Q) (a A, err error) { return a, nil })
}
