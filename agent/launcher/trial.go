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

// read gives the newest journal. If one could not be written, that one is tried again and
// returned; else what is on disk is.
func (l *launcher) read() (install.Journal, error) {
	if l.unsaved != nil {
		j := *l.unsaved
		l.save(j)
		return j, nil
	}
	return l.layout.ReadJournal()
}

// save writes the journal. If the disk does not take it, it stays in l.unsaved, and read
// writes it later.
func (l *launcher) save(j install.Journal) {
	l.unsaved = nil
	if err := l.layout.WriteJournal(j); err != nil {
		l.cfg.Logger.Error("writing the journal; it is tried again", "err", err)
		l.unsaved = &j
	}
}

// converge brings the link and the journal together before a start, as trial.Decide says.
//
// The order of its steps is what makes it safe against a crash. It verifies the new version
// before the link may point to it. It moves the link before it writes the journal, so that an
// attempt is counted for the version that really runs. It writes the attempt before the
// version is started, so that a version that brings the host down runs out of attempts.
func (l *launcher) converge() install.Journal {
	j, err := l.read()
	if err != nil {
		l.cfg.Logger.Error("the journal cannot be read; running what the link says", "err", err)
		return j
	}
	current, linkErr := l.layout.Current()
	boot, since := host.Boot()
	v := trial.Decide(j, current, trial.Moment{BootID: boot, Since: since}, l.cfg.Timing.Attempts)
	if v.Back != nil {
		return l.rollBack(trial.RolledBack(j, *v.Back))
	}
	to, onTrial := trial.Target(j)
	if onTrial && j.NoReturn == "" {
		_, err = l.layout.Verify(to)
	}
	if err == nil && v.Switch != "" {
		l.cfg.Logger.Warn("the link is moved", "from", current, "to", v.Switch, "err", linkErr)
		err = l.layout.Switch(v.Switch)
	}
	if err != nil && onTrial && j.NoReturn == "" {
		return l.rollBack(trial.RolledBack(j, failed(events.CauseEnvironment, events.CodeDamaged, err.Error())))
	}
	if v.Write {
		l.save(v.Journal)
	}
	return v.Journal
}

// rollBack makes the journal's good version the one that runs. It moves the link first and
// writes the journal after that. After a crash between the two, the next converge comes to
// the same end. If the good version is damaged, the installed copy takes its place.
func (l *launcher) rollBack(j install.Journal) install.Journal {
	l.cfg.Logger.Warn("going back", "to", j.Good, "code", j.Failure.Code, "why", j.Failure.Text)
	if err := l.layout.Switch(j.Good); err != nil {
		j.Good = l.cfg.Version
		installErr := l.layout.Install(l.cfg.Exe, l.cfg.Version)
		l.cfg.Logger.Error("the last good version cannot be run; using the installed copy", "err", err, "installing it", installErr)
	}
	l.save(j)
	return j
}

// commit writes into the journal that the version of that order is kept. It reads the journal
// anew, because the agent may have written NoReturn since the start. ok is false when the
// journal is about another order, or could not be written.
func (l *launcher) commit(order string) (j install.Journal, ok bool) {
	j, err := l.layout.ReadJournal()
	j, ok = trial.Kept(j, order)
	return j, err == nil && ok && l.layout.WriteJournal(j) == nil
}

// judge writes into the journal how a run ended. It goes back to the version before when a
// committed version crashes too often.
//
// trialGoesOn says that the version has attempts left, and that the next one follows after a
// short pause. A version without a way back is tried for ever; once its attempts are used up,
// it is no longer trialGoesOn and the pauses grow.
func (l *launcher) judge(r trial.Run) (trialGoesOn bool) {
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

// reachable asks the last good version, by `jujud probe`, whether it can reach the bus. If it
// cannot, no version could pass the trial now. A probe that cannot be started counts as
// reachable: it says nothing for the version on trial.
func (l *launcher) reachable(ctx context.Context, good string) bool {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	well, err := l.reaper.Run(ctx, filepath.Join(l.layout.Version(good), "jujud"), "probe", "--data-dir", l.layout.Dir)
	return well || err != nil
}
