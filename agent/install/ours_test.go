package install_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/host"
)

// What a local user could plant in a data directory, one thing at a time (BI-95).
func TestBI95PlantedLinks(t *testing.T) {
	join := filepath.Join
	link := func(path string) func(string) error {
		return func(dir string) error {
			if err := os.RemoveAll(join(dir, path)); err != nil {
				return err
			}
			return os.Symlink("/etc/passwd", join(dir, path))
		}
	}
	for name, c := range map[string]struct {
		plant func(dir string) error
		want  string // "": it is used
	}{
		"nothing":                          {func(string) error { return nil }, ""},
		"the link to a version":            {func(dir string) error { return os.Symlink("1.2.3-a-b", join(dir, "tools", "machine-1")) }, ""},
		"a workload's own link":            {func(dir string) error { return os.Symlink("/etc/passwd", join(dir, "agents", "unit-web-0", "x")) }, ""},
		"a link for the tools":             {link("tools"), "tools is a symbolic link"},
		"a link for the agents":            {link("agents"), "agents is a symbolic link"},
		"a link for the agent's directory": {link("agents/machine-1"), "machine-1 is a symbolic link"},
		"a link for the journal":           {link("agents/machine-1/upgrade.json"), "upgrade.json is a symbolic link"},
		"a link for the key":               {link("agents/machine-1/agent.creds"), "agent.creds is a symbolic link"},
		"a link for the log":               {link("log/machine-1.log"), "machine-1.log is a symbolic link"},
		"a link for the lock":              {link("lock"), "lock is a symbolic link"},
		"a link for the outbox":            {link("agents/machine-1/outbox"), "outbox is a symbolic link"},
		"a link for a unit's directory":    {link("agents/unit-web-0"), "unit-web-0 is a symbolic link"},
		"a fifo for the configuration": {
			func(dir string) error { return syscall.Mkfifo(join(dir, "agents/machine-1/agent.conf"), 0o600) }, "neither a file nor a directory",
		},
		"a directory that all may write": {func(dir string) error { return os.Chmod(join(dir, "tools"), 0o777) }, "can be written by others"},
		"a file that the group may write": {
			func(dir string) error { return os.Chmod(join(dir, "agents/machine-1/units.json"), 0o620) }, "can be written by others",
		},
		"another user's file": {func(dir string) error { return os.Chown(join(dir, "agents/machine-1/units.json"), 65534, -1) }, "is user 65534's"},
	} {
		dir := join(t.TempDir(), "data")
		l := install.Layout{Dir: dir, Machine: "1"}
		if err := l.Prepare(); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{l.Outbox(), l.Unit("web/0")} {
			if err := os.Mkdir(d, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(join(l.Agent(), "units.json"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := c.plant(dir); err != nil {
			if os.Getuid() != 0 && strings.HasPrefix(name, "another user") {
				continue // only root can give a file away
			}
			t.Fatal(err)
		}
		err := install.Ours(dir)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("BI-95 %s: %v, want %q", name, err, c.want)
		}
	}
	dir := join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), dir); err != nil {
		t.Fatal(err)
	}
	if err := install.Ours(dir); err == nil || !strings.Contains(err.Error(), "is a symbolic link") {
		t.Errorf("BI-95 the data directory is a link: %v", err)
	}
	if err := install.Ours(join(t.TempDir(), "missing")); err != nil {
		t.Errorf("BI-95 a directory that is not there: %v", err)
	}
}

// A file is written under a temporary name and renamed. If somebody planted a link under either name,
// the link is replaced, and nothing is written through it.
func TestBI95NothingIsWrittenThroughALink(t *testing.T) {
	dir := t.TempDir()
	victim, path := filepath.Join(dir, "victim"), filepath.Join(dir, "file")
	if err := os.WriteFile(victim, []byte("untouched"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, planted := range []string{path, path + ".new"} {
		if err := os.Symlink(victim, planted); err != nil {
			t.Fatal(err)
		}
		if err := host.WriteFile(path, []byte("ours")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() || info.Mode().Perm() != 0o600 {
			t.Errorf("BI-95: %v, %v", info.Mode(), err)
		}
		if b, err := os.ReadFile(victim); err != nil || string(b) != "untouched" {
			t.Errorf("BI-95: a link was written through: %q, %v", b, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}
