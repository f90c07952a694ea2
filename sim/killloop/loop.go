package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/projections/status"
	"github.com/jujube-project/jujube/sim/hosts"
)

// versions are those between which machines are upgraded back and forth. An operator may ask for a
// lower patch version, too.
var versions = []string{"1.25.1", "1.25.2"}

// loop is one run of the kill loop.
type loop struct {
	plan
	*verdict
	env       *hosts.Environment
	services  []*hosts.Service
	workloads []*hosts.Connection
}

func run(ctx context.Context, p plan) (v *verdict, err error) {
	began := time.Now()
	l := &loop{plan: p, verdict: &verdict{seed: p.seed, kills: map[string]int{}}}
	defer func() { l.took = time.Since(began) }()
	dir, err := os.MkdirTemp("", "jujube-killloop-")
	if err != nil {
		return l.verdict, err
	}
	fmt.Printf("%-24s %s\n", "directory", dir)
	if !p.keep {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	// This process takes the place of init: the children of a killed launcher become its children.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return l.verdict, err
	}
	if l.env, err = hosts.Build(ctx, dir, "killloop", versions...); err != nil {
		return l.verdict, err
	}
	defer func() { err = errors.Join(err, l.end(ctx)) }()
	if err := l.begin(ctx); err != nil {
		return l.verdict, err
	}
	return l.verdict, l.upgrades(ctx)
}

// begin makes the environment, with a workload on every machine.
func (l *loop) begin(ctx context.Context) error {
	old := l.env.Jujud(versions[0])
	err := l.env.Each(ctx, "bootstrap killloop --tools-source none --jujud "+old,
		"set-env upgrade-health-window=300ms agent-lost-after=60s",
		fmt.Sprintf("add-machine -n %d --local --jujud %s", l.machines, old))
	if err == nil {
		err = l.env.Publish(ctx, versions...)
	}
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for i := range l.machines + 1 {
		id := strconv.Itoa(i)
		s, err := l.env.Supervise(id)
		if err != nil {
			return err
		}
		l.services = append(l.services, s)
		place := filepath.Join(l.env.Dir, "workload-"+id)
		if err := os.Mkdir(place, 0o700); err != nil {
			return err
		}
		if _, err := l.env.Juju(ctx, "deploy", "work"+id, "--to", id, "--user", hosts.Me(), "--", self, "workload", place); err != nil {
			return err
		}
		w, err := hosts.Connect(place)
		if err != nil {
			return fmt.Errorf("machine %s: %w", id, err)
		}
		l.workloads = append(l.workloads, w)
	}
	return nil
}

// upgrades asks for one upgrade after another while kill kills.
func (l *loop) upgrades(ctx context.Context) error {
	killing, stop := context.WithCancel(ctx)
	var killer sync.WaitGroup
	killer.Go(func() { l.kill(killing) })
	defer killer.Wait()
	defer stop()
	for done := 0; done < l.plan.upgrades; done += l.machines + 1 {
		to := versions[(done/(l.machines+1)+1)%2]
		if err := l.upgrade(ctx, to); err != nil || len(l.bricks) > 0 {
			return err
		}
		for _, w := range l.workloads {
			_ = w.Ask()
		}
	}
	return nil
}

// kill kills agents and launchers with SIGKILL at random moments until ctx ends.
func (l *loop) kill(ctx context.Context) {
	random := rand.New(rand.NewPCG(l.plan.seed, 1))
	for {
		pause := time.Duration(random.ExpFloat64() * float64(l.every))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		victims := l.services[1:]
		if l.servers {
			victims = l.services
		}
		s := victims[random.IntN(len(victims))]
		what, pid := "agent", s.Agent()
		if random.IntN(2) == 0 {
			what, pid = "launcher", s.Launcher()
		}
		if pid > 1 && syscall.Kill(pid, syscall.SIGKILL) == nil {
			l.kills[what]++
		}
	}
}

// upgrade upgrades the environment to a version and returns when every machine runs it. It asks
// again when kills have made the upgrade fail. A machine that does not run the version within
// plan.patience counts as bricked.
func (l *loop) upgrade(whole context.Context, to string) error {
	ctx, cancel := context.WithTimeout(whole, l.patience)
	defer cancel()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	reset := ""
	var last error
	var seen status.Status
	for ask := true; ; {
		if ask {
			_, err := l.env.Juju(ctx, "upgrade-juju", "--yes", "--version", to, "--rollback", "--reset-previous-upgrade="+strconv.FormatBool(reset != ""))
			if last = err; err == nil {
				ask = false
			}
		}
		st, err := l.env.Status(ctx)
		if err == nil {
			seen = st
		}
		if err == nil && reached(st, to) {
			return nil
		}
		if err == nil && st.Upgrade != nil && st.Upgrade.State == status.Halted && st.Upgrade.ID != reset {
			reset, ask = st.Upgrade.ID, true
			l.resets++
			l.resolve(ctx, st)
		}
		last = errors.Join(last, err)
		if err == nil && !ask && st.Upgrade == nil && l.resolve(ctx, st) {
			ask = true // the upgrade was completed, but then an agent was killed so often that its machine rolled back
			l.resets++
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			if whole.Err() == nil {
				l.brick(seen, to, last)
			}
			return whole.Err()
		}
	}
}

// resolve allows machines to try a version again that failed there only because it was killed. It
// says whether there are such machines.
func (l *loop) resolve(ctx context.Context, st status.Status) (some bool) {
	for _, m := range st.Machines {
		if len(m.Value.Denied) > 0 {
			_, _ = l.env.Juju(ctx, "resolved", m.Name)
			some = true
		}
	}
	return some
}

// reached says whether every machine runs a version and no upgrade is in progress.
func reached(st status.Status, to string) bool {
	for _, m := range st.Machines {
		if m.Value.AgentVersion != to {
			return false
		}
	}
	return st.Upgrade == nil && st.Environment.AgentVersion == to
}

// brick notes which machines do not run the ordered version, or else that the upgrade does not end.
func (l *loop) brick(st status.Status, to string, last error) {
	for _, m := range st.Machines {
		if m.Value.AgentVersion != to || m.Value.AgentState != status.AgentStarted {
			l.bricks = append(l.bricks, fmt.Sprintf("machine %s is %s, runs %s, and not %s, after %v: %s",
				m.Name, m.Value.AgentState, m.Value.AgentVersion, to, l.patience, m.Value.AgentStateInfo))
		}
	}
	if len(l.bricks) == 0 {
		l.bricks = append(l.bricks, fmt.Sprintf("the upgrade to %s does not end: the environment is at %s, its upgrade %+v: %v",
			to, st.Environment.AgentVersion, st.Upgrade, last))
	}
}

// end reads the log, counts how orders ended, and stops everything.
func (l *loop) end(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	e := &ends{orders: map[string]string{}, ends: map[string][]string{}, v: l.verdict}
	err := l.env.Log(ctx, e.record)
	e.judge()
	for i, w := range l.workloads {
		if lost := w.Ask(); lost != nil {
			l.lost = append(l.lost, fmt.Sprintf("the connection to the workload of machine %d: %v", i, lost))
		}
		l.restarts += w.Restarts()
		w.Close()
	}
	for _, s := range l.services {
		err = errors.Join(err, s.Stop(ctx))
	}
	return err
}
