package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzLoadEnvironment(f *testing.F) {
	dir := f.TempDir()
	a := &App{Getenv: func(name string) string { return map[string]string{"JUJU_DATA": dir}[name] }}
	if err := a.saveEnvironment(environment{Name: "e", UUID: "u", URLs: []string{"tls://h:1"}, Machines: []machine{{ID: "0", DataDir: "/x"}}}); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(a.environmentFile("e"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "environments", "e.yaml"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if env, err := a.loadEnvironment("e"); err == nil && (env.Name != "e" || env.UUID == "") {
			t.Fatalf("%s: %+v", b, env)
		}
	})
}

// What a state server answers to a command's questions.
func FuzzDecodeAnswer(f *testing.F) {
	f.Add([]byte(`{"tools":[],"problems":[]}`))
	f.Fuzz(func(_ *testing.T, b []byte) {
		var answer map[string]any
		_ = decodeJSON(b, &answer)
	})
}

func FuzzParseInvitation(f *testing.F) {
	f.Add("jujube-user1.e30")
	f.Add(invitation{Name: "prod", UUID: "u", Operator: "bob", URLs: []string{"tls://h:1"}, Anchor: strings.Repeat("a", 64)}.String())
	f.Fuzz(func(t *testing.T, line string) {
		if i, err := parseInvitation(line); err == nil && (i.Name == "" || i.Authorities == "") {
			t.Errorf("%q was read as %+v", line, i)
		}
	})
}
