package install_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jujube-project/jujube/agent/install"
)

func fuzzLayout(f *testing.F) install.Layout {
	f.Helper()
	l := install.Layout{Dir: f.TempDir(), Machine: "1"}
	if err := l.Prepare(); err != nil {
		f.Fatal(err)
	}
	return l
}

func FuzzReadJournal(f *testing.F) {
	l := fuzzLayout(f)
	if err := l.WriteJournal(install.Journal{Good: "1.2.3-a-b"}); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(l.JournalFile())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(l.JournalFile(), b, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = l.ReadJournal()
	})
}

func FuzzMarker(f *testing.F) {
	l := fuzzLayout(f)
	dir := l.Version("1.2.3-a-b")
	if err := os.Mkdir(dir, 0o700); err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "jujud"), []byte("x"), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(`{"files":{"jujud":"2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881","../../x":""}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, ".complete"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := l.Verify("1.2.3-a-b")
		if err == nil && m.Files["jujud"] == "" {
			t.Fatalf("complete without a jujud: %s", b)
		}
	})
}

// Whatever lies in one copy, the other one is read, or none is.
func FuzzCopies(f *testing.F) {
	l := fuzzLayout(f)
	if err := l.WriteCopies("trusted", []byte(`"ours"`)); err != nil {
		f.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(l.Agent(), "trusted*"))
	if err != nil || len(names) == 0 {
		f.Fatalf("%v: no copies: %v", names, err)
	}
	b, err := os.ReadFile(names[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, name := range names {
			if err := os.WriteFile(name, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = l.ReadCopies("trusted", func([]byte) error { return nil })
	})
}
