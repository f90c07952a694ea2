package launcher

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

// bootID names this boot of the kernel; a trial that outlives a boot counts an attempt.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(b))
}

// boottime is the time since boot, suspends included: no wall clock can move it.
func boottime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// converge brings link and journal together before a start, as Decide says. In a trial it
// counts the attempt, on disk, before the new version gets it.
func (l *launcher) converge() install.Journal {
	j, err := l.l.ReadJournal()
	if err != nil {
		l.cfg.Logger.Error("the journal cannot be read; running what the link says", "err", err)
		return j
	}
	if j.Phase == install.PhaseTrial && j.Trial != nil && j.Trial.Attempts == 0 {
		if err := os.Remove(l.outputFile()); err != nil && !errors.Is(err, fs.ErrNotExist) { // of another trial
			l.cfg.Logger.Warn("removing the output of a trial", "err", err)
		}
	}
	current, err := l.l.Current()
	if err != nil {
		current = ""
	}
	v := Decide(j, current, l.lastOutput(), Moment{BootID: bootID(), Since: boottime()}, l.cfg.Timing.Attempts)
	if v.Back != nil {
		return l.rollBack(j, *v.Back)
	}
	if v.Switch != "" {
		if err := l.l.Switch(v.Switch); err != nil && j.NoReturn == "" {
			return l.rollBack(j, events.Failure{Step: "switch", Cause: events.CauseEnvironment, Code: "switch", Text: err.Error()})
		}
	}
	if v.Write {
		if err := l.l.WriteJournal(v.Journal); err != nil {
			l.cfg.Logger.Error("counting an attempt", "err", err)
		}
	}
	return v.Journal
}

func (l *launcher) outputFile() string { return filepath.Join(l.l.Agent(), "trial-output") }

func (l *launcher) lastOutput() string {
	b, err := os.ReadFile(l.outputFile())
	if err != nil {
		return ""
	}
	return string(b)
}

// rollBack ends a trial: the link first, then the journal. Run again after a crash
// between the two, it does the same.
func (l *launcher) rollBack(j install.Journal, f events.Failure) install.Journal {
	l.cfg.Logger.Warn("going back to the last good version", "version", j.Good, "code", f.Code, "why", f.Text)
	if err := l.l.Switch(j.Good); err != nil {
		l.cfg.Logger.Error("the last good version is damaged; using the installed copy", "err", err)
		if err := l.l.Adopt(l.cfg.Exe, l.cfg.Version); err != nil {
			l.cfg.Logger.Error("installing the copy", "err", err)
		}
		j.Good = l.cfg.Version
		if err := l.l.Switch(j.Good); err != nil {
			l.cfg.Logger.Error("going back", "err", err)
		}
	}
	j = RolledBack(j, f)
	if err := l.l.WriteJournal(j); err != nil {
		l.cfg.Logger.Error("noting the roll-back", "err", err)
	}
	return j
}

// clip keeps the end of an output within a record's limit.
func clip(s string) string {
	const limit = 8000
	s = strings.ToValidUTF8(s, "?")
	return s[max(0, len(s)-limit):]
}

// commit keeps the version on trial for that order, unless the agent has taken another
// order meanwhile; the journal that it returns says which.
func (l *launcher) commit(order string) (install.Journal, error) {
	j, err := l.l.ReadJournal()
	if err != nil || j.Phase != install.PhaseTrial || j.Order == nil || j.Order.ID != order {
		return j, err
	}
	j = Committed(j)
	return j, l.l.WriteJournal(j)
}

// trialBudget is how long the version on trial may still take.
func (l *launcher) trialBudget(j install.Journal) time.Duration {
	used := boottime() - time.Duration(j.Trial.Started)
	return l.cfg.Timing.Trial + j.Order.Window - used
}

// blameless says whether the last good version cannot reach the bus either: then the
// trial goes on, because nobody could pass it now. The good version's own probe decides.
func (l *launcher) blameless(ctx context.Context, j install.Journal) bool {
	good := filepath.Join(l.l.Version(j.Good), "jujud")
	p, ended, err := l.reaper.start(good, []string{good, "probe", "--data-dir", l.l.Dir}, &os.ProcAttr{Files: []*os.File{nil, nil, nil}})
	if err != nil {
		return false
	}
	select {
	case how := <-ended:
		return how != exitedWell
	case <-time.After(probeTimeout):
	case <-ctx.Done():
	}
	_ = p.Kill()
	<-ended
	return true
}

const probeTimeout = 15 * time.Second
