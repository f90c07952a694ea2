package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// units are the unit agents of a machine: one goroutine for each unit.
type units struct {
	layout  install.Layout
	version version.Number
	tell    func(events.Report)
	logger  *slog.Logger

	mu      sync.Mutex
	running map[string]*unitAgent
	adopted chan struct{} // closed once the first assignment was followed
	once    sync.Once
}

func newUnits(l install.Layout, v version.Number, tell func(events.Report), logger *slog.Logger) *units {
	return &units{layout: l, version: v, tell: tell, logger: logger, running: map[string]*unitAgent{}, adopted: make(chan struct{})}
}

func (u *units) file() string { return filepath.Join(u.layout.Agent(), "units.json") }

// load follows the assignment that was kept on disk, so that workloads run even when
// the bus is away.
func (u *units) load() error {
	b, err := os.ReadFile(u.file())
	if errors.Is(err, fs.ErrNotExist) {
		u.once.Do(func() { close(u.adopted) })
		return nil
	}
	var a events.UnitsAssigned
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		return fmt.Errorf("read the units of this machine: %w", err)
	}
	u.follow(a.Units)
	return nil
}

// assign keeps a new assignment and follows it.
func (u *units) assign(a events.UnitsAssigned) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if err := install.WriteFile(u.file(), b); err != nil {
		return err
	}
	u.follow(a.Units)
	return nil
}

// follow starts the agents of new units and ends those of units that are gone or changed.
func (u *units) follow(specs []events.UnitSpec) {
	u.mu.Lock()
	defer u.mu.Unlock()
	wanted := map[string]events.UnitSpec{}
	for _, s := range specs {
		wanted[s.Unit] = s
	}
	for name, a := range u.running {
		if s, ok := wanted[name]; !ok || commandText(s) != commandText(a.spec) || s.Restart != a.spec.Restart {
			a.end(false)
			delete(u.running, name)
		}
	}
	for name, s := range wanted {
		if u.running[name] == nil {
			u.running[name] = startUnitAgent(u, s)
		}
	}
	u.once.Do(func() { close(u.adopted) })
}

// end ends all unit agents, with or without their workloads.
func (u *units) end(keep bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var wg sync.WaitGroup
	for name, a := range u.running {
		wg.Go(func() { a.end(keep) })
		delete(u.running, name)
	}
	wg.Wait()
}

// unitAgent watches one unit's workload.
type unitAgent struct {
	units  *units
	spec   events.UnitSpec
	cancel context.CancelFunc
	keep   bool // set before cancel
	done   chan struct{}
}

func startUnitAgent(u *units, spec events.UnitSpec) *unitAgent {
	ctx, cancel := context.WithCancel(context.Background())
	a := &unitAgent{units: u, spec: spec, cancel: cancel, done: make(chan struct{})}
	go a.run(ctx)
	return a
}

// end ends the agent. A workload that is kept goes on by itself.
func (a *unitAgent) end(keep bool) {
	a.keep = keep
	a.cancel()
	<-a.done
}

// Pauses before a workload that ended is started again.
const (
	workloadPause    = 500 * time.Millisecond
	workloadMaxPause = 30 * time.Second
	workloadStable   = 10 * time.Second // a run as long as this resets the pause
	workloadPatience = 10 * time.Second // between SIGTERM and SIGKILL
)

// run keeps the workload running, by its policy, until it is ended.
func (a *unitAgent) run(ctx context.Context) {
	defer close(a.done)
	pause := workloadPause
	for {
		w, err := a.workload()
		began := time.Now()
		how, failed := "it cannot be started", true
		if err == nil {
			a.report(events.UnitStarted, "", w.PID)
			var stopped bool
			if how, failed, stopped = a.watch(ctx, w); stopped {
				return
			}
		} else {
			how = fmt.Sprintf("it cannot be started: %v", err)
		}
		if time.Since(began) > workloadStable {
			pause = workloadPause
		}
		if !a.again(failed) {
			state := events.UnitStopped
			if failed {
				state = events.UnitError
			}
			a.report(state, how, 0)
			<-ctx.Done()
			return
		}
		a.report(events.UnitError, how+"; it is started again", 0)
		select {
		case <-time.After(pause):
			pause = min(2*pause, workloadMaxPause)
		case <-ctx.Done():
			return
		}
	}
}

// workload adopts the one that runs, or starts one.
func (a *unitAgent) workload() (*workload, error) {
	if w := adoptWorkload(a.units.layout, a.spec.Unit); w != nil {
		if w.Command == commandText(a.spec) {
			return w, nil
		}
		ended := make(chan struct{})
		go func() { w.wait(); close(ended) }()
		w.stop(workloadPatience, ended)
	}
	return startWorkload(a.units.layout, a.spec)
}

// watch waits for the workload's end, or for the agent's.
func (a *unitAgent) watch(ctx context.Context, w *workload) (how string, failed, stopped bool) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		how, failed = w.wait()
	}()
	select {
	case <-ended:
		return how, failed, false
	case <-ctx.Done():
	}
	if !a.keep {
		w.stop(workloadPatience, ended)
	}
	return "", false, true
}

func (a *unitAgent) again(failed bool) bool {
	return a.spec.Restart == events.RestartAlways || (a.spec.Restart == events.RestartOnFailure && failed)
}

func (a *unitAgent) report(state, info string, pid int) {
	a.units.logger.Info("workload", "unit", a.spec.Unit, "state", state, "info", info, "pid", pid)
	a.units.tell(&events.UnitStateChanged{Unit: a.spec.Unit, State: state, Info: info, PID: pid, Version: a.units.version})
}
