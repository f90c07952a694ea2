//go:build faults

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

// A build with the tag faults is for tests. What it does wrong stands in faultFile of its data
// directory; without that file it is a good build. So one release can fail in another way on each
// machine.
const faultFile = "jujube-fault"

// fault names what this build does wrong on this machine; empty: nothing.
func fault(dataDir string) string {
	b, err := os.ReadFile(filepath.Join(dataDir, faultFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// die ends the process as a crash would.
func die(why string) {
	fmt.Fprintln(os.Stderr, "rehearsal:", why)
	os.Exit(7)
}

// misbehave is called where an agent starts and where a build runs its self-test.
func misbehave(dataDir, where string) {
	f := fault(dataDir)
	if where == "selfcheck" {
		switch f {
		case "refuses-the-journal":
			die("the journal's schema is not known to this build")
		case "lies-in-its-self-test":
			fmt.Println(`{"version":"9.9.9-other-vax","journal_schema":1}`)
			os.Exit(0)
		case "hangs-in-its-self-test":
			select {}
		case "forks-in-its-self-test":
			for {
				_ = exec.Command("/bin/sleep", "60").Start()
			}
		}
		return
	}
	switch f {
	case "exits-at-once":
		die("it exits at once")
	case "exits-after-a-while":
		time.AfterFunc(time.Second, func() { die("it exits after a while") })
	case "hangs-before-ready":
		select {}
	case "fills-memory":
		fillMemory()
	case "ignores-sigterm":
		signal.Ignore(syscall.SIGTERM)
	}
}

// fillMemory takes memory until the kernel gives no more. It sets itself a limit that does not
// harm the host.
func fillMemory() {
	const limit = 1 << 30 // of address space; the runtime has reserved much of it already
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_AS, &old); err != nil {
		die(err.Error())
	}
	if err := unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: old.Max}); err != nil {
		die(err.Error())
	}
	var kept [][]byte
	for {
		b := make([]byte, 64<<20)
		kept = append(kept, b) // the runtime ends the process: out of memory
	}
}

// misconfigure changes the agent's configuration as the fault says.
func misconfigure(cfg *agent.Config) {
	switch f := fault(cfg.Conf.DataDir); f {
	case "hangs-after-ready":
		cfg.Parent = hangs{cfg.Parent, &atomic.Int32{}}
	case "cannot-reach-the-bus":
		cfg.Bus = deaf{cfg.Bus}
	case "flip-flops":
		cfg.Bus = &flips{Bus: cfg.Bus}
	case "reports-another-version":
		cfg.Own.Number.Patch += 50
	case "exits-after-the-commit":
		dieOnceKept(cfg)
	case "ignores-sigterm":
		cfg.Bus = stubborn{cfg.Bus}
	}
}

// dieOnceKept ends the process when the launcher says that its version is kept, and every later
// process of that version soon after its start.
func dieOnceKept(cfg *agent.Config) {
	kept := cfg.Committed
	cfg.Committed = nil
	go func() {
		<-kept
		die("it exits just after the commit")
	}()
	if j, err := cfg.Conf.Layout().ReadJournal(); err == nil && j.Phase != install.PhaseTrial {
		time.AfterFunc(700*time.Millisecond, func() { die("it exits after the commit") })
	}
}

// hangs is a launcher to which the agent stops saying alive, some time after it was ready. The
// agent's main loop hangs as in a deadlock.
type hangs struct {
	agent.Parent
	said *atomic.Int32
}

func (h hangs) Alive() error {
	if h.said.Add(1) > 2 {
		select {}
	}
	return h.Parent.Alive()
}

func (h hangs) Healthy(string) error { return nil }

// deaf is a bus that this build cannot talk to.
type deaf struct{ agent.Bus }

var errDeaf = errors.New("rehearsal: this build cannot talk to the bus")

func (deaf) Connected() bool { return false }
func (deaf) Report(context.Context, events.Record) (agent.Answer, error) {
	fmt.Fprintln(os.Stderr, errDeaf)
	return agent.Later, errDeaf
}

func (deaf) Orders(ctx context.Context, _ func(events.Record)) error {
	<-ctx.Done()
	return ctx.Err()
}

// flips is a bus that is not connected every second time that somebody asks.
type flips struct {
	agent.Bus
	asked atomic.Int32
}

func (f *flips) Connected() bool { return f.asked.Add(1)%2 == 0 && f.Bus.Connected() }

// stubborn is a bus whose Orders never returns, so that the agent cannot end.
type stubborn struct{ agent.Bus }

func (s stubborn) Orders(ctx context.Context, f func(events.Record)) error {
	err := s.Bus.Orders(ctx, f)
	if ctx.Err() != nil {
		select {}
	}
	return err
}
