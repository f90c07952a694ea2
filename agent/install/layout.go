package install

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// Layout gives the paths of one machine's data directory. It holds no state: a copy of it is
// as good as the original. Source of the names: Juju 1.25.
type Layout struct {
	Dir     string    // the data directory
	Machine string    // id, "3"
	Disk    host.Disk // nil: the host's own
}

// Tag is "machine-3".
func (l Layout) Tag() string { return events.MachineTag(l.Machine) }

// Tools is the directory of the versions.
func (l Layout) Tools() string { return filepath.Join(l.Dir, "tools") }

// Version is the directory of one version, by its binary version.
func (l Layout) Version(name string) string { return filepath.Join(l.Tools(), name) }

// Link is the symlink to the version that runs.
func (l Layout) Link() string { return filepath.Join(l.Tools(), l.Tag()) }

// Agent is the machine agent's own directory.
func (l Layout) Agent() string { return filepath.Join(l.Dir, "agents", l.Tag()) }

// Unit is a unit agent's directory.
func (l Layout) Unit(name string) string {
	return filepath.Join(l.Dir, "agents", events.UnitTag(name))
}

// JournalFile is where the upgrade's journal lies.
func (l Layout) JournalFile() string { return filepath.Join(l.Agent(), "upgrade.json") }

// Outbox is the directory of reports that are not acknowledged yet.
func (l Layout) Outbox() string { return filepath.Join(l.Agent(), "outbox") }

// Staging is the directory where a download grows. CollectGarbage knows it by its name.
func (l Layout) Staging() string { return filepath.Join(l.Tools(), ".staging") }

// Log is the log file of an agent or a workload, by tag.
func (l Layout) Log(tag string) string { return filepath.Join(l.Dir, "log", tag+".log") }

// LockFile is the file that the launcher locks while it runs; it has the launcher's PID in it.
func (l Layout) LockFile() string { return filepath.Join(l.Dir, "lock") }

// AgentLock is the file that the agent locks while it runs. When a launcher is killed, its agent
// can live on for a moment; the lock keeps the next launcher's agent from running beside it.
func (l Layout) AgentLock() string { return filepath.Join(l.Agent(), "lock") }

// disk is the host's file system unless another is set.
func (l Layout) disk() host.Disk {
	if l.Disk == nil {
		return host.OS{}
	}
	return l.Disk
}

// Take takes the data directory for this process, so that two launchers never work in one, and
// makes what is missing in it. host.ErrLocked: another process has it. same says, whenever it is
// asked, whether the directory is the one that was taken, and nobody else could exchange it.
func (l Layout) Take() (unlock func(), same func() error, err error) {
	dir, err := host.OpenDirectory(l.Dir)
	if err != nil {
		return nil, nil, err
	}
	release, err := host.TryLock(l.LockFile())
	if errors.Is(err, host.ErrLocked) {
		err = fmt.Errorf("another jujud runs on this data directory: %w; nothing was changed", err)
	}
	if err != nil {
		return nil, nil, errors.Join(err, dir.Close())
	}
	unlock = func() { release(); _ = dir.Close() }
	if err := l.Prepare(); err != nil {
		unlock()
		return nil, nil, err
	}
	return unlock, dir.Again, nil
}
