package install

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/host"
)

// racer is a disk on which an attacker exchanges the program whenever it is opened: right before
// that, or right after.
type racer struct {
	host.OS
	path          string
	opened        int
	before, after func(opened int)
}

func (r *racer) Open(path string) (host.File, error) {
	if path == r.path {
		r.opened++
		r.before(r.opened)
		defer r.after(r.opened)
	}
	return r.OS.Open(path)
}

// The bytes that were verified are executed, also when somebody exchanges the file in between
// (BI-96).
func TestBI96SwappedBetweenVerifyAndSwitch(t *testing.T) {
	const name = "1.2.3-a-b"
	good, evil := "#!/bin/sh\necho good\n", "#!/bin/sh\necho evil\n"
	exchange := func(path string) {
		if err := os.WriteFile(path+".evil", []byte(evil), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".evil", path); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		when   string
		opened int // 1: to verify, 2: to execute
		before bool
		runs   bool
	}{
		{"before it is verified", 1, true, false},
		{"while it is verified", 1, false, false},
		{"between verifying and opening it to execute", 2, true, false},
		{"after it was opened to execute", 2, false, true},
	} {
		l := Layout{Dir: t.TempDir(), Machine: "1"}
		exe := filepath.Join(t.TempDir(), "jujud")
		if err := os.WriteFile(exe, []byte(good), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := l.Prepare(); err != nil {
			t.Fatal(err)
		}
		if err := l.Adopt(exe, name); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(l.Version(name), "jujud")
		at := func(before bool) func(int) {
			return func(opened int) {
				if opened == c.opened && before == c.before {
					exchange(path)
				}
			}
		}
		l.Disk = &racer{path: path, before: at(true), after: at(false)}
		f, err := l.Program(name)
		if c.runs != (err == nil) {
			t.Errorf("BI-96 %s: %v", c.when, err)
		}
		if err != nil {
			continue
		}
		out, err := exec.Command("/bin/sh", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), f.Fd())).CombinedOutput()
		if err != nil || strings.TrimSpace(string(out)) != "good" {
			t.Errorf("BI-96 %s: %q was executed, %v", c.when, out, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		var perm fs.FileMode
		if info, err := os.Stat(l.Tools()); err == nil {
			perm = info.Mode().Perm()
		}
		if perm != 0o700 {
			t.Errorf("BI-96: others have access to %s: %v", l.Tools(), perm)
		}
	}
}
