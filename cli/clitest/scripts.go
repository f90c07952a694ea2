package clitest

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/sim/hosts"
)

// Main is the TestMain of a package that runs scripts: its test program is also a workload
// that scripts run as a unit, $SELF workload DIR.
func Main(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "workload" {
		fmt.Fprintln(os.Stderr, hosts.Workload(os.Args[2]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// Scripts runs testdata/script/*.txtar of the package under test with the real juju and
// jujud, against real environments on loopback. $JUJUD_1_24_0 and so on are builds of jujud
// stamped with that version; $PLATFORM is this host's series and architecture.
func Scripts(t *testing.T) {
	t.Helper()
	bin := binaries(t)
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: func(e *testscript.Env) error { return setUp(t, e, bin) },
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"redteam": redteam, "oneagent": oneAgent, "copydir": copyDir,
			"pack": pack, "damage": damage, "listening": listening, "stopmachine": stop, "freeport": freeport, "nats": nats, "killagent": killAgent,
			"connect": connect, "ask": askWorkload, "capture": capture, "serve": serve, "noise": noise, "killsync": killSync, "peak": peak,
			"badserver": badServer, "page": page, "save": save, "canaries": canaries, "private": private,
			"fakeenvironment": fakeEnvironment, "fakeheard": fakeHeard, "fakejoin": fakeJoin,
		},
	})
}

// setUp gives a script its own client directory, and ends what it leaves running.
func setUp(t *testing.T, e *testscript.Env, bin string) error {
	series, arch := host.Platform()
	mib, err := strconv.Atoi(cmp.Or(os.Getenv("JUJUBE_SYNC_MIB"), "32"))
	if err != nil {
		return err
	}
	e.Values["fakes"] = &fakes{}
	for key, value := range map[string]string{
		"PATH":      bin + string(os.PathListSeparator) + e.Getenv("PATH"),
		"JUJU_DATA": filepath.Join(e.WorkDir, "client"),
		"HOME":      e.WorkDir,
		"SELF":      os.Args[0],
		"PLATFORM":  series + "-" + arch,
		"SYNC_MIB":  strconv.Itoa(mib),
		"SYNC_MORE": strconv.Itoa(mib + 12),
	} {
		e.Setenv(key, value)
	}
	for _, v := range versions {
		e.Setenv("JUJUD_"+strings.ReplaceAll(v, ".", "_"), filepath.Join(bin, "jujud-"+v))
	}
	e.Defer(func() { stopAll(t, filepath.Join(e.WorkDir, "client"), bin) })
	return nil
}

// stopAll ends what a failed script left running, by the processes that juju noted.
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

// capture VARIABLE REGEXP takes the first group of what was printed last.
func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture VARIABLE REGEXP")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("nothing that was printed is like %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// pack JUJUD VERSION DIR puts an archive of a jujud, with that version forced, into the
// tree in DIR.
func pack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: pack JUJUD VERSION DIR")
	}
	series, arch := host.Platform()
	n, err := version.Parse(args[1])
	ts.Check(err)
	v := version.Binary{Number: n, Series: series, Arch: arch}
	dir := filepath.Join(ts.MkAbs(args[2]), "tools", "released")
	ts.Check(os.MkdirAll(dir, 0o755))
	jujud, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	out, err := os.Create(filepath.Join(dir, tools.Tools{Version: v}.FileName()))
	ts.Check(err)
	force := n.String()
	ts.Check(archive.PackAt(gzip.BestSpeed, out,
		archive.File{Name: archive.Jujud, Size: int64(len(jujud)), Body: bytes.NewReader(jujud)},
		archive.File{Name: archive.ForceVersion, Size: int64(len(force)), Body: strings.NewReader(force)}))
	ts.Check(out.Close())
}

// damage FROM TO copies a jujud whose greeting to its launcher is overwritten: it passes
// its self-test and fails its trial.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FROM TO")
	}
	b, err := os.ReadFile(args[0])
	ts.Check(err)
	if n := strings.Count(string(b), pipe.Hello); n != 1 {
		ts.Fatalf("the greeting is %d times in %s", n, args[0])
	}
	bad := strings.Replace(string(b), pipe.Hello, fmt.Sprintf("%-*s", len(pipe.Hello), "damaged"), 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(bad), 0o755))
}

// listening VARIABLE takes a port for as long as the script runs.
func listening(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: listening VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], port)
}

// stopmachine ENVIRONMENT [MACHINE] ends its machine 0, or that one, and waits until it has ended.
func stop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: stopmachine ENVIRONMENT [MACHINE]")
	}
	m := localMachine(ts, args[0], append(args, "0")[1])
	ts.Check(local.Stop(m.PID, m.Started))
}

// freeport VARIABLE finds a port that nobody has at the moment.
func freeport(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport VARIABLE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(errors.Join(err, l.Close()))
	ts.Setenv(args[0], port)
}

// nats CONFIG runs a separate nats-server for as long as the script runs.
func nats(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: nats CONFIG")
	}
	bin, err := bustest.NATSServer()
	ts.Check(err)
	cmd := exec.Command(bin, "-c", ts.MkAbs(args[0]))
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

// killagent ENVIRONMENT MACHINE kills the agent of a local machine, not its launcher.
func killAgent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: killagent ENVIRONMENT MACHINE")
	}
	ts.Check(syscall.Kill(agentPID(ts, args[0], args[1]), syscall.SIGKILL))
}

// localMachine is what juju noted of a machine that it started here.
func localMachine(ts *testscript.TestScript, environment, id string) app.Machine {
	env, err := app.Store(ts.Getenv("JUJU_DATA")).Load(environment)
	ts.Check(err)
	m, found := env.Machine(id)
	if !found {
		ts.Fatalf("environment %s has no machine %s here", environment, id)
	}
	return m
}

// agentPID is the process of a local machine's agent.
func agentPID(ts *testscript.TestScript, environment, machine string) int {
	launcher := localMachine(ts, environment, machine).PID
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", launcher))
	ts.Check(err)
	var children strings.Builder
	for _, t := range threads {
		b, err := os.ReadFile(t)
		ts.Check(err)
		children.Write(b)
	}
	for _, child := range strings.Fields(children.String()) {
		cmd, err := os.ReadFile(filepath.Join("/proc", child, "cmdline"))
		ts.Check(err)
		if !strings.Contains(string(cmd), "\x00agent\x00") {
			continue
		}
		pid, err := strconv.Atoi(child)
		ts.Check(err)
		return pid
	}
	ts.Fatalf("the launcher %d has no agent among %s", launcher, children.String())
	return 0
}

// connect DIR opens a connection to the workload in DIR.
func connect(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: connect DIR")
	}
	c, err := hosts.Connect(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(c.Close)
	connections.Store(ts.MkAbs(args[0]), c)
}

// ask DIR asks over the connection that was opened, and wants the same process to answer.
func askWorkload(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] ask DIR")
	}
	c, ok := connections.Load(ts.MkAbs(args[0]))
	if !ok {
		ts.Fatalf("connect first")
	}
	if err := c.(*hosts.Connection).Ask(); (err != nil) != neg {
		ts.Fatalf("ask: %v", err)
	}
}

// connections are those that scripts opened, by directory.
var connections sync.Map
