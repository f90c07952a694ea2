package launcher

import (
	"context"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/trial"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

func failed(cause, code, text string) events.Failure {
	return events.Failure{Step: "trial", Cause: cause, Code: code, Text: text}
}

// read gives the journal: what could not be written yet, or what is on disk.
func (l *launcher) read() (install.Journal, error) {
	if l.unsaved != nil {
		j := *l.unsaved
		l.save(j)
		return j, nil
	}
	return l.l.ReadJournal()
}

// save writes the journal. On a full disk it is kept here and written later.
func (l *launcher) save(j install.Journal) {
	l.unsaved = nil
	if err := l.l.WriteJournal(j); err != nil {
		l.cfg.Logger.Error("writing the journal; it is tried again", "err", err)
		l.unsaved = &j
	}
}

// converge brings link and journal together before a start, as trial.Decide says. In a
// trial it counts the attempt, on disk, before the new version gets it.
func (l *launcher) converge() install.Journal {
	j, err := l.read()
	if err != nil {
		l.cfg.Logger.Error("the journal cannot be read; running what the link says", "err", err)
		return j
	}
	current, linkErr := l.l.Current()
	boot, since := host.Boot()
	v := trial.Decide(j, current, trial.Moment{BootID: boot, Since: since}, l.cfg.Timing.Attempts)
	if v.Back != nil {
		return l.rollBack(trial.RolledBack(j, *v.Back))
	}
	to, onTrial := trial.Target(j)
	if onTrial && j.NoReturn == "" {
		_, err = l.l.Verify(to)
	}
	if err == nil && v.Switch != "" {
		l.cfg.Logger.Warn("the link is moved", "from", current, "to", v.Switch, "err", linkErr)
		err = l.l.Switch(v.Switch)
	}
	if err != nil && onTrial && j.NoReturn == "" {
		return l.rollBack(trial.RolledBack(j, failed(events.CauseEnvironment, events.CodeDamaged, err.Error())))
	}
	if v.Write {
		l.save(v.Journal)
	}
	return v.Journal
}

// rollBack runs the journal's good version again: the link first, then the journal. Run
// again after a crash between the two, it does the same.
func (l *launcher) rollBack(j install.Journal) install.Journal {
	l.cfg.Logger.Warn("going back", "to", j.Good, "code", j.Failure.Code, "why", j.Failure.Text)
	if err := l.l.Switch(j.Good); err != nil {
		j.Good = l.cfg.Version
		installErr := l.l.Install(l.cfg.Exe, l.cfg.Version)
		l.cfg.Logger.Error("the last good version cannot be run; using the installed copy", "err", err, "installing it", installErr)
	}
	l.save(j)
	return j
}

// commit writes that the version of that order is kept, unless the agent took another
// order, past the point of no return.
func (l *launcher) commit(order string) (j install.Journal, ok bool) {
	j, err := l.l.ReadJournal()
	j, ok = trial.Kept(j, order)
	return j, err == nil && ok && l.l.WriteJournal(j) == nil
}

// judge notes how a run ended, and goes back when it shows that a version which was
// committed does not live. soon: a trial goes on; but one without a way back is tried for
// ever, with growing pauses.
func (l *launcher) judge(r trial.Run) (soon bool) {
	j, err := l.read()
	if err != nil {
		return false
	}
	next, back := trial.Ended(j, r, l.cfg.Timing.Attempts, l.cfg.Timing.Settle)
	if back {
		l.rollBack(next)
	} else if next.Failure != j.Failure || next.Guard != j.Guard {
		l.save(next)
	}
	_, onTrial := trial.Target(next)
	return onTrial && next.Trial.Attempts <= l.cfg.Timing.Attempts
}

// reachable asks the last good version whether it can reach the bus. If it cannot
// either, nobody could pass the trial now.
func (l *launcher) reachable(ctx context.Context, good string) bool {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	well, err := l.reaper.Run(ctx, filepath.Join(l.l.Version(good), "jujud"), "probe", "--data-dir", l.l.Dir)
	return well || err != nil
}
