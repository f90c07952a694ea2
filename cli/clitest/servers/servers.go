// Package servers is the part of clitest for tests that need a server, or a machine's agent, in the
// test program itself: a bus without a state server (Client), and commands of scripts that speak
// in the place of a state server, as an intruder, or as one machine.
//
// A program that imports it links nats-server. It is a package of its own so that the tests of the
// other families are linked without.
package servers

import (
	"os/exec"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/cli/clitest"
	"github.com/jujube-project/jujube/sim/hosts"
)

// ForScripts are the commands of this package.
var ForScripts = clitest.More{
	Commands: map[string]clitest.Command{
		"nats": nats, "badserver": badServer,
		"fakeenvironment": fakeEnvironment, "fakeheard": fakeHeard, "fakejoin": fakeJoin,
		"redteam": redTeam, "oneagent": oneAgent,
		"connect": connect, "ask": ask,
	},
	SetUp: func(e *testscript.Env) { e.Values[stateKey{}] = &state{connections: map[string]*hosts.Connection{}} },
}

// state is what the commands of one script have begun.
type state struct {
	bad         *bustest.BadServer
	stopBad     func()
	authority   server.Authority             // of the fake environment
	enrolled    atomic.Int64                 // how many hosts the fake environment enrolled
	connections map[string]*hosts.Connection // to workloads, by their directory
}

type stateKey struct{}

func stateOf(ts *testscript.TestScript) *state { return ts.Value(stateKey{}).(*state) }

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
