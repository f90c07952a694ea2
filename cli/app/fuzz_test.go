package app

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzLoadEnvironment(f *testing.F) {
	dir := f.TempDir()
	store := storeIn(dir)
	if err := store.Save(Environment{Name: "e", UUID: "u", URLs: []string{"tls://h:1"}, Machines: []Machine{{ID: "0", DataDir: "/x"}}}); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(store.EnvironmentFile("e"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "environments", "e.yaml"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if env, err := store.Load("e"); err == nil && (env.Name != "e" || env.UUID == "") {
			t.Fatalf("%s: %+v", b, env)
		}
	})
}
