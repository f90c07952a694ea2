package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

// units are the unit agents of a machine. Each unit has a goroutine of its own.
type units struct {
	layout   install.Layout
	version  version.Number
	tell     func(events.Report)
	logger   *slog.Logger
	users    *users
	secrets  secrets
	exits    exits
	logBytes int64 // of a workload's log before it is rotated

	mu      sync.Mutex
	given   assignment
	running map[string]*unitAgent
	leaving map[string]*unitAgent // being ended; a new agent of that unit waits for them
	ends    sync.WaitGroup
	once    sync.Once
	adopted chan struct{} // closed once every unit of the first assignment is watched
}

func newUnits(l install.Layout, v version.Number, key secrets, tell func(events.Report), logger *slog.Logger) *units {
	return &units{
		layout: l, version: v, tell: tell, logger: logger, logBytes: defaultLogBytes, users: &users{layout: l}, secrets: key,
		exits:   nobodyKnows,
		running: map[string]*unitAgent{}, leaving: map[string]*unitAgent{}, adopted: make(chan struct{}),
	}
}

func (u *units) file() string { return filepath.Join(u.layout.Agent(), "units.json") }

// load reads the assignment from the disk and follows it: workloads run also when the bus is
// away.
func (u *units) load() error {
	a, err := u.read()
	if err != nil {
		return fmt.Errorf("read the units of this machine: %w", err)
	}
	u.give(a)
	u.follow(a.Units)
	return nil
}

// read gives the assignment on the disk, the zero one if there is none.
func (u *units) read() (a assignment, err error) {
	b, err := host.ReadPinned(u.file())
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	a.Units, a.WithUsers = append(a.Units, a.WithUsers...), nil
	return a, err
}

// assignment is what is on the disk: the units that this machine runs, and the requests that
// ever gave it a unit, with the times until which somebody could show them again.
type assignment struct {
	events.UnitsAssigned
	Used map[string]time.Time `json:"used,omitempty"`
	// WithUsers are, on the disk, the units that have a user or secrets. An agent of before that comes
	// back does not find them, and stops them: it would run them as root, without their environment.
	WithUsers []events.UnitSpec `json:"units_with_users,omitempty"`
}

// onDisk is the assignment as it is written.
func (a assignment) onDisk() assignment {
	all := a.Units
	a.Units = nil
	for _, u := range all {
		if u.User != "" || u.Secrets != nil {
			a.WithUsers = append(a.WithUsers, u)
		} else {
			a.Units = append(a.Units, u)
		}
	}
	return a
}

// canRun says why this machine cannot run a unit that operators asked for: its user does not
// exist here, or its environment was sealed for somebody else.
func (u *units) canRun(spec events.UnitSpec) error {
	if _, err := u.secrets.open(spec); err != nil {
		return err
	}
	_, err := u.users.of(spec)
	return err
}

func (u *units) give(a assignment) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.given = a
}

// refuse says that a list is older than the one that this machine follows. Somebody who holds what a
// state server signed once may show it again, at whatever position of the log he likes; only the
// number in the list is signed. The same list again is well.
func (u *units) refuse(list *events.UnitsAssigned) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if list.Number < u.given.Number {
		return events.Refuse(events.CodeOldList, "the list of units has the number %d; the machine follows the one with the number %d", list.Number, u.given.Number)
	}
	return nil
}

// kept are the units that this machine has, by name, and a copy of the requests that are used.
func (u *units) kept() (now map[string]events.UnitSpec, used map[string]time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	now, used = map[string]events.UnitSpec{}, map[string]time.Time{}
	maps.Copy(used, u.given.Used)
	for _, s := range u.given.Units {
		now[s.Unit] = s
	}
	return now, used
}

// assign keeps a new assignment and follows it.
func (u *units) assign(a assignment) error {
	b, err := json.Marshal(a.onDisk())
	if err != nil {
		return err
	}
	if err := host.WriteFile(u.file(), b); err != nil {
		return err
	}
	u.give(a)
	u.follow(a.Units)
	return nil
}

// follow starts the agents of new units and ends those of units that are gone or changed,
// also what an earlier agent left of units that are gone. It does not wait for the ends.
func (u *units) follow(specs []events.UnitSpec) {
	u.mu.Lock()
	defer u.mu.Unlock()
	wanted := map[string]events.UnitSpec{}
	for _, s := range specs {
		wanted[s.Unit] = s
	}
	for name, a := range u.running {
		if s, ok := wanted[name]; !ok || commandText(s) != commandText(a.spec) || s.Restart != a.spec.Restart {
			u.leave(name, a)
		}
	}
	u.sweep(wanted)
	for name, s := range wanted {
		if u.running[name] == nil {
			u.running[name] = startUnitAgent(u, s, u.leaving[name])
		}
	}
	u.watched()
}

// leave ends a unit's agent and its workload, beside everything else.
func (u *units) leave(name string, a *unitAgent) {
	delete(u.running, name)
	u.leaving[name] = a
	u.ends.Go(func() {
		a.end(fateRemove)
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.leaving[name] == a {
			delete(u.leaving, name)
		}
	})
}

// sweep stops workloads of units that this machine does not have any more: an agent that
// was killed while it removed a unit left one.
func (u *units) sweep(wanted map[string]events.UnitSpec) {
	known := map[string]bool{}
	for _, set := range []map[string]*unitAgent{u.running, u.leaving} {
		for name := range set {
			known[u.layout.Unit(name)] = true
		}
	}
	for name := range wanted {
		known[u.layout.Unit(name)] = true
	}
	files, err := filepath.Glob(filepath.Join(u.layout.Dir, "agents", "unit-*", workloadName))
	if err != nil {
		return
	}
	for _, f := range files {
		if dir := filepath.Dir(f); !known[dir] {
			u.logger.Warn("stopping what is left of a unit that is gone", "dir", dir)
			u.ends.Go(func() { u.remove(dir) })
		}
	}
}

// remove stops the workload noted in a unit's directory and forgets it.
func (u *units) remove(dir string) {
	if w := readWorkload(dir); w != nil && w.alive() {
		ended := make(chan ending, 1)
		go func() { ended <- w.wait(u.exits) }()
		w.stop(workloadPatience, ended)
	}
	if err := forgetWorkload(dir); err != nil {
		u.logger.Warn("forgetting a unit", "err", err)
	}
}

// watched closes adopted, the first time, when every unit has been looked after.
func (u *units) watched() {
	u.once.Do(func() {
		var agents []*unitAgent
		for _, a := range u.running {
			agents = append(agents, a)
		}
		go func() {
			for _, a := range agents {
				select {
				case <-a.begun:
				case <-a.done:
				}
			}
			close(u.adopted)
		}()
	})
}

// end ends all unit agents, with or without their workloads.
func (u *units) end(keep bool) {
	fate := fateStop
	if keep {
		fate = fateKeep
	}
	u.mu.Lock()
	for name, a := range u.running {
		u.ends.Go(func() { a.end(fate) })
		delete(u.running, name)
	}
	u.mu.Unlock()
	u.ends.Wait()
}
