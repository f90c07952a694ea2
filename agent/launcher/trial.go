package launcher

import (
	"context"
	"fmt"
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

// converge brings link and journal together before a start. In a trial it counts the
// attempt, on disk, before the new version gets it; when the attempts are spent it goes
// back.
func (l *launcher) converge() install.Journal {
	j, err := l.l.ReadJournal()
	if err != nil {
		l.cfg.Logger.Error("the journal cannot be read; running what the link says", "err", err)
		return j
	}
	if j.Phase != install.PhaseTrial || j.Trial == nil || j.Order == nil {
		return j
	}
	to := j.Order.Tools.Version.String()
	if j.Trial.Attempts >= l.cfg.Timing.Attempts {
		output := l.lastOutput()
		why, _, _ := strings.Cut(output, "\n")
		return l.rollBack(j, "crashed", fmt.Sprintf("version %s did not prove itself in %d starts: %s", to, j.Trial.Attempts, why), output)
	}
	if current, err := l.l.Current(); err != nil || current != to {
		if err := l.l.Switch(to); err != nil {
			return l.rollBack(j, "switch", err.Error(), "")
		}
	}
	j.Trial.Attempts++
	if boot := bootID(); j.Trial.BootID != boot {
		j.Trial.BootID, j.Trial.Started = boot, int64(boottime())
	}
	if err := l.l.WriteJournal(j); err != nil {
		l.cfg.Logger.Error("counting an attempt", "err", err)
	}
	return j
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
func (l *launcher) rollBack(j install.Journal, code, text, output string) install.Journal {
	l.cfg.Logger.Warn("going back to the last good version", "version", j.Good, "code", code, "why", text)
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
	j.Phase, j.Trial = install.PhaseRolledBack, nil
	j.Failure = &events.Failure{Step: "trial", Cause: events.CauseVersion, Code: code, Text: text, Output: clip(output)}
	if j.Denied == nil {
		j.Denied = map[string]string{}
	}
	j.Denied[j.Order.Tools.SHA256] = text
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

// commit keeps the version on trial.
func (l *launcher) commit(j install.Journal) (install.Journal, error) {
	j.Phase, j.Trial, j.Failure = install.PhaseCommitted, nil, nil
	if to := j.Order.Tools.Version.String(); to != j.Good {
		j.Last, j.Good = j.Good, to
	}
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
