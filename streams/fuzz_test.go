package streams

import (
	"os"
	"path/filepath"
	"testing"
)

func FuzzSeenFile(f *testing.F) {
	s := &SeenFile{Path: filepath.Join(f.TempDir(), "seen.json")}
	f.Add([]byte(`{"a b":"e30="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(s.Path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if kept, err := s.Trusted("a", "b"); err == nil && !kept.IsZero() {
			t.Fatalf("%s: it was taken for metadata that somebody signed", b)
		}
	})
}
