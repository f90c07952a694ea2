package agent

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// errCloses: the next upgrade step cannot be undone, and that is not written down yet.
var errCloses = errors.New("the next step cannot be undone")

// takeSteps takes this version's upgrade steps until all are done, and says so.
func (a *Agent) takeSteps(ctx context.Context, e TakeSteps) {
	var told string
	for tried := 0; ; tried++ {
		in, err := a.stepOnce(ctx, e)
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

// stepOnce takes the steps from where agent.conf says they are.
func (a *Agent) stepOnce(ctx context.Context, e TakeSteps) (Stepped, error) {
	a.steps.Lock()
	defer a.steps.Unlock()
	in := Stepped{Order: e.Order}
	own, from := a.cfg.Own.Number, a.conf.UpgradedToVersion
	due := steps.Between(a.cfg.Steps, from, own)
	if len(due) > 0 && a.conf.UpgradingToVersion != own {
		a.conf.UpgradingToVersion = own
		if err := a.conf.Save(); err != nil {
			return in, err
		}
	}
	taker := steps.Taker{
		Host: a.host(),
		Closing: func(r version.Number, s steps.Step) error {
			if e.Freely {
				return nil
			}
			in.Release, in.Closes = r, clipText(s.Description, 200)
			return errCloses
		},
		Reached: func(r version.Number) error {
			a.conf.UpgradedToVersion = r
			return a.conf.Save()
		},
	}
	err := taker.Take(ctx, due)
	if err == nil {
		a.conf.UpgradedToVersion, a.conf.UpgradingToVersion = own, version.Number{}
		err = a.conf.Save()
	}
	if errors.Is(err, errCloses) {
		return in, nil
	}
	return in, err
}

func (a *Agent) host() steps.Host {
	targets := []steps.Target{steps.HostMachine}
	if a.cfg.StateServer {
		targets = append(targets, steps.StateServer)
	}
	return steps.Host{Layout: a.layout, Targets: targets}
}

// UndoSteps undoes the upgrade steps of this build above a version, and notes in
// agent.conf that the host is at that one again. The agent of the older version runs it as
// `jujud undo-steps` of the newer one.
func UndoSteps(ctx context.Context, releases []steps.Release, conf Conf, stateServer bool, own, to version.Number) error {
	a := &Agent{cfg: Config{StateServer: stateServer}, conf: conf, layout: conf.Layout()}
	if err := steps.Undo(ctx, a.host(), steps.Between(releases, to, own)); err != nil {
		return err
	}
	conf.UpgradedToVersion, conf.UpgradingToVersion = to, version.Number{}
	return conf.Save()
}

// undoTimeout bounds the undoing of upgrade steps.
const undoTimeout = 2 * time.Minute

// undo lets a version undo its steps.
func (a *Agent) undo(ctx context.Context, e Undo) *events.Failure {
	a.steps.Lock()
	defer a.steps.Unlock()
	ctx, cancel := context.WithTimeout(ctx, undoTimeout)
	defer cancel()
	exe := filepath.Join(a.layout.Version(e.By.String()), "jujud")
	out, err := exec.CommandContext(ctx, exe, "undo-steps", "--data-dir", a.layout.Dir, "--to", e.To.String()).CombinedOutput()
	if err == nil {
		var conf Conf
		if conf, err = LoadConf(a.layout.Dir); err == nil {
			a.conf.UpgradedToVersion, a.conf.UpgradingToVersion = conf.UpgradedToVersion, conf.UpgradingToVersion
			return nil
		}
	}
	return &events.Failure{
		Step: "steps", Cause: events.CauseVersion, Code: events.CodeNotUndone, Output: lines(out),
		Text: clipText(fmt.Sprintf("%s did not undo its upgrade steps above %s: %v: %s", e.By, e.To, err, lines(out)), maxText/2),
	}
}
