package agent

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// errCloses: the next upgrade step cannot be undone, and that is not written down yet.
var errCloses = errors.New("the next step cannot be undone")

// upgradeSteps takes and undoes the upgrade steps of this build, and keeps in agent.conf how
// far this host is.
type upgradeSteps struct {
	host     steps.Host
	releases []steps.Release
	own      version.Number

	mu   sync.Mutex // held while steps are taken or undone: never both at once
	conf Conf       // under mu; on disk after each step
}

func newUpgradeSteps(releases []steps.Release, conf Conf, stateServer bool, own version.Number) *upgradeSteps {
	targets := []steps.Target{steps.HostMachine}
	if stateServer {
		targets = append(targets, steps.StateServer)
	}
	return &upgradeSteps{host: steps.Host{Layout: conf.Layout(), Targets: targets}, releases: releases, own: own, conf: conf}
}

// takeSteps takes this version's upgrade steps until all are done, and hands that to the
// loop. A failure is told once, and tried again, for as long as it takes.
func (a *Agent) takeSteps(ctx context.Context, e TakeSteps) {
	var told string
	for tried := 0; ; tried++ {
		in, err := a.steps.take(ctx, e)
		if err == nil {
			a.input(ctx, in)
			return
		}
		a.cfg.Logger.Error("upgrade steps", "err", err)
		if failed := (*steps.StepError)(nil); errors.As(err, &failed) && err.Error() != told && ctx.Err() == nil {
			told = err.Error()
			a.tell(&events.AgentStepping{
				Order: e.Order, Release: failed.Release, Step: clipText(failed.Step.Description, 200), Error: clipText(failed.Err.Error(), 4000),
			})
		}
		if stepPauses.Wait(ctx, tried) != nil {
			return
		}
	}
}

// take takes the steps from where agent.conf says that this host is. agent.conf says that an
// upgrade to this version was begun before its first step is taken: an older version that
// comes back then knows that there is something to undo.
func (u *upgradeSteps) take(ctx context.Context, e TakeSteps) (Stepped, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	in := Stepped{Order: e.Order}
	own, from := u.own, u.conf.UpgradedToVersion
	due := steps.Between(u.releases, from, own)
	if len(due) > 0 && u.conf.UpgradingToVersion != own {
		u.conf.UpgradingToVersion = own
		if err := u.conf.Save(); err != nil {
			return in, err
		}
	}
	taker := steps.Taker{
		Host: u.host,
		Closing: func(r version.Number, s steps.Step) error {
			if e.Freely {
				return nil
			}
			in.Release, in.Closes = r, clipText(s.Description, 200)
			return errCloses
		},
		Reached: func(r version.Number) error {
			u.conf.UpgradedToVersion = r
			return u.conf.Save()
		},
	}
	err := taker.Take(ctx, due)
	if err == nil {
		u.conf.UpgradedToVersion, u.conf.UpgradingToVersion = own, version.Number{}
		err = u.conf.Save()
	}
	if errors.Is(err, errCloses) {
		return in, nil
	}
	return in, err
}

// UndoSteps undoes the upgrade steps of this build above a version, and notes in
// agent.conf that the host is at that one again. The agent of the older version runs it as
// `jujud undo-steps` of the newer one.
func UndoSteps(ctx context.Context, releases []steps.Release, conf Conf, stateServer bool, own, to version.Number) error {
	u := newUpgradeSteps(releases, conf, stateServer, own)
	if err := steps.Undo(ctx, u.host, steps.Between(releases, to, own)); err != nil {
		return err
	}
	conf.UpgradedToVersion, conf.UpgradingToVersion = to, version.Number{}
	return conf.Save()
}

// undoTimeout bounds the undoing of upgrade steps.
const undoTimeout = 2 * time.Minute

// undo lets a version undo its steps.
func (u *upgradeSteps) undo(ctx context.Context, e Undo) *events.Failure {
	u.mu.Lock()
	defer u.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, undoTimeout)
	defer cancel()
	exe := filepath.Join(u.host.Layout.Version(e.By.String()), "jujud")
	out, err := exec.CommandContext(ctx, exe, "undo-steps", "--data-dir", u.host.Layout.Dir, "--to", e.To.String()).CombinedOutput()
	if err == nil {
		var conf Conf
		if conf, err = LoadConf(u.host.Layout.Dir); err == nil {
			u.conf.UpgradedToVersion, u.conf.UpgradingToVersion = conf.UpgradedToVersion, conf.UpgradingToVersion
			return nil
		}
	}
	return &events.Failure{
		Step: "steps", Cause: events.CauseVersion, Code: events.CodeNotUndone, Output: lines(out),
		Text: clipText(fmt.Sprintf("%s did not undo its upgrade steps above %s: %v: %s", e.By, e.To, err, lines(out)), maxText/2),
	}
}
