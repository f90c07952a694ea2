package clitest

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/host"
)

// Command is what one command of a script runs. neg says that the line begins with "!".
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// More is what the scripts of some packages need beside what all of them have.
type More struct {
	Commands map[string]Command
	SetUp    func(*testscript.Env) // before each script
}

// commands are those that every script has.
var commands = map[string]Command{
	"pack": pack, "damage": damage, "noise": noise, "serve": serve, "killsync": killSync, "peak": peak,
	"listening": listening, "freeport": freeport, "capture": capture, "page": page, "save": save,
	"stopmachine": stopMachine, "killagent": killAgent,
	"copydir": copyDir, "canaries": canaries, "private": private,
}

// Scripts runs testdata/script/*.txtar of the package under test with the real juju and
// jujud, against real environments on loopback. $JUJUD_1_24_0 and so on are builds of jujud
// stamped with that version; $PLATFORM is this host's series and architecture; $SELF is the
// test program.
func Scripts(t *testing.T, more ...More) {
	t.Helper()
	bin := binaries(t)
	all := maps.Clone(commands)
	for _, m := range more {
		maps.Copy(all, m.Commands)
	}
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: all,
		Setup: func(e *testscript.Env) error {
			for _, m := range more {
				m.SetUp(e)
			}
			return setUp(t, e, bin)
		},
	})
}

// setUp gives a script a client directory of its own. What the script leaves running is ended
// after it.
func setUp(t *testing.T, e *testscript.Env, bin string) error {
	series, arch := host.Platform()
	me, err := user.Current()
	if err != nil {
		return err
	}
	for key, value := range map[string]string{
		"ME":        me.Username, // for deploy --user: who can read what lies in the script's directory
		"PATH":      bin + string(os.PathListSeparator) + e.Getenv("PATH"),
		"JUJU_DATA": filepath.Join(e.WorkDir, "client"),
		"HOME":      e.WorkDir,
		"SELF":      os.Args[0],
		"PLATFORM":  series + "-" + arch,
		"SYNC_MIB":  cmp.Or(os.Getenv("JUJUBE_SYNC_MIB"), "32"),
	} {
		e.Setenv(key, value)
	}
	for _, v := range versions {
		e.Setenv("JUJUD_"+strings.ReplaceAll(v, ".", "_"), filepath.Join(bin, "jujud-"+v))
	}
	e.Defer(func() { stopAll(t, filepath.Join(e.WorkDir, "client"), bin) })
	return nil
}

// stopAll destroys the environments that a failed script left behind, which ends the processes
// that juju noted in them.
func stopAll(t *testing.T, data, bin string) {
	files, err := filepath.Glob(filepath.Join(data, "environments", "*.yaml"))
	if err != nil {
		t.Error(err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".yaml")
		cmd := exec.Command(filepath.Join(bin, "juju"), "destroy-environment", name, "--yes")
		cmd.Env = append(os.Environ(), "JUJU_DATA="+data)
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("destroy %s: %v\n%s", name, err, b)
		}
	}
}
