package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/projections/audit"
	"github.com/jujube-project/jujube/projections/status"
)

// demo is the story, and what it has learned so far.
type demo struct {
	*stage
	software     *software
	traffic      *traffic
	began        time.Time
	bootstrapped bool
	first        string // id of the first upgrade
	rolledBack   string // id of the machine that tried the broken release
}

// play plays the story, act by act.
func (d *demo) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{
		d.build, d.bootstrap, d.grow, d.upgradePatch, d.upgradeMinor, d.upgradeBroken, d.restart, d.lookBack, d.judge,
	} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

// The versions of the story. The one called broken is made to fail.
const (
	oldest = "1.24.0"
	patch  = "1.24.1"
	minor0 = "1.25.0"
	minor  = "1.25.1"
	broken = "1.25.2"
)

func (d *demo) build(ctx context.Context) error {
	d.title("Server software in five versions")
	d.tell("%s", d.software.how())
	versions := []string{oldest, patch, minor0, minor, broken}
	errs := make([]error, len(versions))
	places := make(chan struct{}, 2) // two builds at a time: linking needs memory
	var builds sync.WaitGroup
	for i, v := range versions {
		builds.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			errs[i] = d.software.make(ctx, v, d.path("jujud-"+v))
		})
	}
	builds.Wait()
	d.tell("%s", strings.Join(versions, ", "))
	return errors.Join(append(errs, d.release(ctx, oldest, patch))...)
}

// release packs versions into the tree and makes its metadata.
func (d *demo) release(ctx context.Context, versions ...string) error {
	names := make([]string, len(versions))
	errs := make([]error, len(versions))
	var packing sync.WaitGroup
	for i, v := range versions {
		packing.Go(func() { names[i], errs[i] = d.software.publish(v, d.path("jujud-"+v)) })
	}
	packing.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d.tell("published in tree/tools/released: %s", strings.Join(names, ", "))
	_, err := d.run(ctx, "metadata", "generate-tools", "-d", "tree")
	return err
}

func (d *demo) bootstrap(ctx context.Context) error {
	d.title("An environment of four machines at %s", oldest)
	d.bootstrapped = true
	jujud := "jujud-" + oldest + "/jujud"
	for _, args := range [][]string{
		{"bootstrap", "demo", "--jujud", jujud, "--tools-source", "none"},
		{"set-env", "upgrade-health-window=500ms"},
		{"add-machine", "-n", "3", "--local", "--jujud", jujud},
	} {
		if _, err := d.run(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) grow(ctx context.Context) error {
	d.title("Two units of a real HTTP service, asked 50 times a second from here on")
	me, err := user.Current() // who can read the program, wherever it lies
	if err != nil {
		return err
	}
	for _, machine := range []string{"1", "2"} {
		if _, err := d.run(ctx, "deploy", "web", "--to", machine, "--user", me.Username, "--", "juju", "demo-workload", "--announce", d.traffic.url); err != nil {
			return err
		}
	}
	for _, unit := range []string{"web/0", "web/1"} {
		if err := d.traffic.wait(ctx, unit); err != nil {
			return err
		}
	}
	if err := d.await(ctx, 2, "--kind", "unit.state_changed*"); err != nil {
		return err
	}
	if _, err := d.run(ctx, "status"); err != nil {
		return err
	}
	return d.everythingRuns(ctx, oldest)
}

func (d *demo) upgradePatch(ctx context.Context) error {
	d.title("An upgrade whose version juju selects: there is no 1.25 yet, so the next patch")
	if err := d.sync(ctx); err != nil {
		return err
	}
	if _, err := d.run(ctx, "upgrade-juju", "--dry-run"); err != nil {
		return err
	}
	if _, err := d.run(ctx, "upgrade-juju", "--yes", "--wait"); err != nil {
		return err
	}
	st, err := d.status(ctx, "status")
	if err != nil {
		return err
	}
	if st.LastUpgrade != nil {
		d.first = st.LastUpgrade.ID
	}
	return d.everythingRuns(ctx, patch)
}

func (d *demo) upgradeMinor(ctx context.Context) error {
	d.title("The same again, now that 1.25 is published: the next minor version")
	if err := d.release(ctx, minor0, minor); err != nil {
		return err
	}
	if err := d.sync(ctx); err != nil {
		return err
	}
	if _, err := d.run(ctx, "upgrade-juju", "--yes", "--wait"); err != nil {
		return err
	}
	return d.everythingRuns(ctx, minor)
}

func (d *demo) sync(ctx context.Context) error {
	_, err := d.run(ctx, "sync-tools", "--source", "tree")
	return err
}

func (d *demo) upgradeBroken(ctx context.Context) error {
	d.title("A broken release: %s passes its self-test and cannot work", broken)
	if err := spoil(d.path("jujud-" + broken)); err != nil {
		return err
	}
	if err := d.release(ctx, broken); err != nil {
		return err
	}
	if err := d.sync(ctx); err != nil {
		return err
	}
	if _, err := d.fails(ctx, "upgrade-juju", "--yes", "--wait"); err != nil {
		return err
	}
	if _, err := d.run(ctx, "status"); err != nil {
		return err
	}
	st, err := d.status(ctx, "status")
	if err != nil {
		return err
	}
	d.claim(st.Upgrade != nil && st.Upgrade.State == status.Halted, "the upgrade to %s halted by itself", broken)
	rolledBack, err := d.log(ctx, "--kind", "agent.rolled_back*")
	if err != nil {
		return err
	}
	if len(rolledBack) > 0 {
		d.rolledBack = rolledBack[0].Machine
	}
	d.claim(len(rolledBack) == 1, "one machine tried it and went back; the others never saw it")
	d.tell("Machine 0 shows the error until it is upgraded again; 1.25.1 works on it as before.")
	return d.everythingRuns(ctx, minor)
}

func (d *demo) restart(ctx context.Context) error {
	d.title("One agent restarts; its workload does not")
	if _, err := d.run(ctx, "restart-agent", "machine-1", "--wait"); err != nil {
		return err
	}
	return d.everythingRuns(ctx, minor)
}

func (d *demo) lookBack(ctx context.Context) error {
	d.title("Who did what, when and why")
	if _, err := d.run(ctx, "audit", "log", "--upgrade", d.first); err != nil {
		return err
	}
	upgrade, err := d.log(ctx, "--upgrade", d.first)
	if err != nil {
		return err
	}
	middle := middleOf(upgrade)
	if middle == 0 {
		return fmt.Errorf("find the middle of the first upgrade: its %d records tell of no upgraded machine", len(upgrade))
	}
	d.title("The environment as it stood in the middle of the first upgrade")
	if _, err := d.run(ctx, "audit", "replay", "--at", fmt.Sprint(middle)); err != nil {
		return err
	}
	then, err := d.status(ctx, "audit", "replay", "--at", fmt.Sprint(middle))
	if err != nil {
		return err
	}
	running := versionsOf(then)
	d.claim(slices.Equal(running, []string{oldest, patch}), "at %d some machines ran %s and others %s", middle, oldest, patch)

	d.title("The log is whole, and what is served follows from it")
	if _, err := d.run(ctx, "audit", "verify"); err != nil {
		return err
	}
	served, err := d.status(ctx, "status")
	if err != nil {
		return err
	}
	replayed, err := d.status(ctx, "audit", "replay")
	if err != nil {
		return err
	}
	same, err := sameStatus(served, replayed)
	d.claim(same, "the status that the state server serves is the status that the log gives")
	return err
}

// middleOf is the sequence of the record with which the first machine of an upgrade was done.
func middleOf(upgrade []audit.Entry) uint64 {
	for _, e := range upgrade {
		if strings.HasPrefix(e.What, "agent.upgraded/") {
			return e.Seq
		}
	}
	return 0
}

// judge looks at the workloads: nothing that the demo did may have disturbed them.
func (d *demo) judge(context.Context) error {
	d.title("The workloads, all the while")
	d.traffic.close()
	for _, w := range d.traffic.results() {
		d.claim(w.failures == 0 && w.requests > 0, "%s answered %d of %d requests (slowest %v)", w.Unit, w.requests-w.failures, w.requests,
			w.slowest.Round(time.Millisecond))
		if w.first != nil {
			d.tell("first failure: %v", w.first)
		}
		d.claim(w.starts == 1, "%s was one process throughout, PID %d", w.Unit, w.PID)
	}
	if raceDetector {
		d.claim(len(d.raceReports()) == 0, "the race detector is silent%s", listed(d.raceReports()))
	}
	return nil
}

// everythingRuns claims that every machine and unit works, on one version.
func (d *demo) everythingRuns(ctx context.Context, number string) error {
	st, err := d.status(ctx, "status")
	if err != nil {
		return err
	}
	machines, units := 0, 0
	for _, m := range st.Machines {
		alive := m.Value.AgentState == status.AgentStarted || m.Name == d.rolledBack && m.Value.AgentState == status.AgentError
		if alive && m.Value.AgentVersion == number {
			machines++
		}
	}
	for _, service := range st.Services {
		for _, u := range service.Value.Units {
			if u.Value.WorkloadStatus.Current == status.WorkloadActive {
				units++
			}
		}
	}
	d.claim(machines == 4 && st.Environment.AgentVersion == number, "4 of 4 machines run %s, and so does the environment", number)
	d.claim(units == 2, "2 of 2 units are active")
	return nil
}

// versionsOf gives the different versions that machines run, sorted.
func versionsOf(st status.Status) []string {
	var running []string
	for _, m := range st.Machines {
		running = append(running, m.Value.AgentVersion)
	}
	slices.Sort(running)
	return slices.Compact(running)
}

// sameStatus compares two statuses, except for the position of the log that each was made at.
func sameStatus(a, b status.Status) (bool, error) {
	a.Log, b.Log = status.Log{}, status.Log{}
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return bytes.Equal(x, y), errors.Join(errX, errY)
}
