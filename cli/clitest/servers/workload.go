package servers

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/jujube-project/jujube/sim/hosts"
)

// Main is the TestMain of a package whose scripts run the test program itself as the workload of
// a unit: $SELF workload DIR.
func Main(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "workload" {
		fmt.Fprintln(os.Stderr, hosts.Workload(os.Args[2]))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// connect DIR opens a connection to the workload in DIR.
func connect(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: connect DIR")
	}
	c, err := hosts.Connect(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(c.Close)
	stateOf(ts).connections[ts.MkAbs(args[0])] = c
}

// ask DIR asks the workload in DIR something over the connection that connect opened. The
// process that answered before must answer.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] ask DIR")
	}
	c, ok := stateOf(ts).connections[ts.MkAbs(args[0])]
	if !ok {
		ts.Fatalf("connect first")
	}
	if err := c.Ask(); (err != nil) != neg {
		ts.Fatalf("ask: %v", err)
	}
}
