package launcher_test

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/launcher"
	"github.com/jujube-project/jujube/events/tools"
)

// Whatever is damaged in a data directory, the launcher chooses a version that is complete, and logs
// what it found. This runs on the host's real file system.
func TestWhateverIsDamagedIsSaidAndSomethingRuns(t *testing.T) {
	relink := func(target string) func(install.Layout) error {
		return func(l install.Layout) error { return errors.Join(os.Remove(l.Link()), os.Symlink(target, l.Link())) }
	}
	newSchema := func(l install.Layout) error {
		body := `{"schema":99,"phase":"trial"}`
		return os.WriteFile(l.JournalFile(), fmt.Appendf(nil, `{"crc32":%d,"journal":%s}`, crc32.ChecksumIEEE([]byte(body)), body), 0o600)
	}
	onTrial := func(l install.Layout, attempts int) error {
		return l.WriteJournal(install.Journal{
			Phase: install.PhaseTrial, Good: v2, Trial: &install.Trial{Attempts: attempts},
			Order: &install.Order{ID: "o1", Tools: tools.Tools{Version: binary(v3)}},
		})
	}
	jujud := func(l install.Layout, name string) string { return filepath.Join(l.Version(name), "jujud") }
	for name, c := range map[string]struct {
		damage func(l install.Layout) error // of a machine whose good version is v2, beside v3
		runs   string
		says   string
	}{
		"nothing":                   {func(install.Layout) error { return nil }, v2, ""},
		"no link":                   {func(l install.Layout) error { return os.Remove(l.Link()) }, v2, "no such file"},
		"a dangling link":           {relink("1.0.0-x-y"), v2, "from=1.0.0-x-y"},
		"a link that leads outside": {relink("../../etc"), v2, "outside of"},
		"a link to the root":        {relink("/"), v2, "outside of"},
		"a file for a link": {func(l install.Layout) error {
			return errors.Join(os.Remove(l.Link()), os.WriteFile(l.Link(), []byte("x"), 0o600))
		}, v2, "invalid argument"},
		"a directory for a link": {func(l install.Layout) error {
			return errors.Join(os.Remove(l.Link()), os.MkdirAll(l.Link()+"/x", 0o700))
		}, v2, "invalid argument"},
		"a link to what is not good":  {relink(v3), v2, "the link is moved"},
		"a damaged journal":           {func(l install.Layout) error { return os.WriteFile(l.JournalFile(), []byte("{"), 0o600) }, v2, "the journal cannot be read"},
		"an empty journal":            {func(l install.Layout) error { return os.WriteFile(l.JournalFile(), nil, 0o600) }, v2, "unusable journal"},
		"a journal of a newer schema": {newSchema, v2, "its schema is 99"},
		"no journal":                  {func(l install.Layout) error { return os.Remove(l.JournalFile()) }, v2, ""},
		"the good version is damaged": {func(l install.Layout) error { return os.WriteFile(jujud(l, v2), []byte("x"), 0o755) }, v1, "has sha256"},
		"the good version is gone":    {func(l install.Layout) error { return os.RemoveAll(l.Version(v2)) }, v1, "version is not complete"},
		"on trial, and it is damaged": {func(l install.Layout) error { return errors.Join(onTrial(l, 0), os.Remove(jujud(l, v3))) }, v2, "going back"},
		"no good version to go back to": {func(l install.Layout) error {
			return errors.Join(onTrial(l, 3), os.RemoveAll(l.Version(v2)))
		}, v1, "the last good version cannot be run"},
		"stale staging directories": {func(l install.Layout) error {
			staged, installed := l.Staging()+"-0123456789abcdef/jujud", l.Staging()+"-installed/jujud"
			return errors.Join(os.MkdirAll(staged, 0o700), os.MkdirAll(installed, 0o700), os.RemoveAll(l.Version(v2)))
		}, v1, "version is not complete"},
	} {
		t.Run(name, func(t *testing.T) {
			l := install.Layout{Dir: t.TempDir(), Machine: "3"}
			exe := filepath.Join(t.TempDir(), "jujud")
			check(t, os.WriteFile(exe, program(v1), 0o755), l.Prepare(), l.Adopt(exe, v2), l.Adopt(exe, v3), l.Switch(v2), l.WriteJournal(install.Journal{Good: v2}))
			check(t, c.damage(l))
			var said bytes.Buffer
			starts := launcher.NewStarts(launcher.Config{Layout: l, Exe: exe, Version: v1, Logger: slog.New(slog.NewTextHandler(&said, nil))})
			check(t, l.Prepare())
			for range 2 { // the second start finds what the first has repaired
				got, err := starts.Next()
				if err != nil || got != c.runs {
					t.Fatalf("%s runs, %v; want %s; it said:\n%s", got, err, c.runs, said.String())
				}
				if current, err := l.Current(); err != nil || current != c.runs {
					t.Fatalf("the link points to %q, %v; want %s", current, err, c.runs)
				}
				if _, err := l.Verify(got); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(said.String(), c.says) {
				t.Errorf("it said:\n%s\nwant %q", said.String(), c.says)
			}
		})
	}
}
