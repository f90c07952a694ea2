// Command killloop upgrades real machines back and forth between two real builds while
// agents and launchers are killed with SIGKILL at random moments, and checks that no
// machine is bricked, no workload notices, and every order ends once: make killloop N=200.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jujube-project/jujube/sim/hosts"
)

// plan is what one run does.
type plan struct {
	upgrades int // of machines, at least
	machines int
	every    time.Duration // mean time between kills
	servers  bool          // the state server is killed, too
	seed     uint64
	keep     bool
	patience time.Duration // after which a machine that does not come back counts as bricked
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "workload" {
		fmt.Fprintln(os.Stderr, "ERROR", hosts.Workload(os.Args[2]))
		os.Exit(1)
	}
	p := plan{}
	flag.IntVar(&p.upgrades, "n", 200, "upgrades of machines")
	flag.IntVar(&p.machines, "machines", 4, "machines besides the state server")
	flag.DurationVar(&p.every, "every", 700*time.Millisecond, "mean time between kills")
	flag.BoolVar(&p.servers, "servers", false, "kill the state server's agent and launcher too")
	flag.Uint64Var(&p.seed, "seed", uint64(time.Now().UnixNano()), "of the random moments")
	flag.BoolVar(&p.keep, "keep", false, "leave the directory")
	flag.DurationVar(&p.patience, "patience", 2*time.Minute, "until a machine counts as bricked")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	verdict, err := run(ctx, p)
	stop()
	fmt.Print(verdict)
	if err != nil {
		fmt.Fprintln(os.Stderr, "ERROR", err)
	}
	if err != nil || !verdict.good() {
		os.Exit(1)
	}
}
