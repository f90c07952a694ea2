package streams

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzSeenFile(f *testing.F) {
	s := &SeenFile{Path: filepath.Join(f.TempDir(), "seen.json")}
	f.Add([]byte(`{"a b c":7}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(s.Path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if s.Newest("a", "b", "c", 8) == nil && s.Newest("a", "b", "c", 7) == nil {
			t.Fatalf("%s: it went back", b)
		}
	})
}
