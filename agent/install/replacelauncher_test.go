package install

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// program writes a file that answers "version" with that word.
func program(t *testing.T, path, script string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestInstallLauncher(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "installed")
	program(t, to, "#!/bin/sh\necho old\n")
	for name, c := range map[string]struct{ script, refusal string }{
		"a newer one":      {"#!/bin/sh\necho 1.25.1-trusty-amd64\n", ""},
		"does not run":     {"no program\n", "ask"},
		"fails":            {"#!/bin/sh\nexit 1\n", "ask"},
		"another in place": {"#!/bin/sh\necho \"I am $0\"\n", "says that it is"},
	} {
		program(t, to, "#!/bin/sh\necho old\n")
		from := filepath.Join(dir, "from")
		program(t, from, c.script)
		err := ReplaceLauncher(t.Context(), from, to)
		want := c.script
		if c.refusal != "" {
			want = "#!/bin/sh\necho old\n"
			if err == nil || !strings.Contains(err.Error(), c.refusal) || !strings.Contains(err.Error(), "it was not changed") {
				t.Errorf("%s: %v, want %q", name, err, c.refusal)
			}
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if b, err := os.ReadFile(to); err != nil || string(b) != want {
			t.Errorf("%s: what is installed is %q, %v", name, b, err)
		}
		if _, err := os.Stat(to + ".new"); err == nil {
			t.Errorf("%s: the copy was left behind", name)
		}
		if b, err := os.ReadFile(to + PreviousSuffix); c.refusal == "" && (err != nil || !strings.Contains(string(b), "old")) {
			t.Errorf("%s: the one before is %q, %v", name, b, err)
		}
	}
	if err := ReplaceLauncher(t.Context(), to, to); err == nil {
		t.Error("a file replaced itself")
	}
}

// A directory of another user could name any process as its launcher, and have root replace that program.
func TestLauncherOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: a directory of another user cannot be made")
	}
	l := Layout{Dir: t.TempDir()}
	if err := os.WriteFile(l.LockFile(), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.RunningLauncher(); err != nil {
		t.Fatalf("in a directory of one's own: %v", err)
	}
	if err := os.Chown(l.Dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if exe, err := l.RunningLauncher(); err == nil || !strings.Contains(err.Error(), "--to PATH") {
		t.Errorf("found %q, %v", exe, err)
	}
}
