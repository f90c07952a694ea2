package clitest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
)

// stopmachine ENVIRONMENT [MACHINE] ends a machine of this host, machine 0 if none is named, and
// waits until its process has ended.
func stopMachine(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: stopmachine ENVIRONMENT [MACHINE]")
	}
	m := localMachine(ts, args[0], append(args, "0")[1])
	ts.Check(local.Stop(m.PID, m.Started))
}

// killagent ENVIRONMENT MACHINE kills the agent of a machine on this host. The launcher of that
// machine runs on.
func killAgent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: killagent ENVIRONMENT MACHINE")
	}
	ts.Check(syscall.Kill(agentPID(ts, args[0], args[1]), syscall.SIGKILL))
}

// localMachine is what juju noted of a machine that it started on this host.
func localMachine(ts *testscript.TestScript, environment, id string) app.Machine {
	env, err := app.Store(ts.Getenv("JUJU_DATA")).Load(environment)
	ts.Check(err)
	m, found := env.Machine(id)
	if !found {
		ts.Fatalf("environment %s has no machine %s here", environment, id)
	}
	return m
}

// agentPID is the PID of the agent of a machine on this host: the child of its launcher.
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
