package machines

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// prepareLocal finds the jujud that the machines on this host will run, before anything is asked.
// It warns if that is another version than the environment's.
func (m *addMachine) prepareLocal(ctx context.Context, s inviter, env app.Environment) (err error) {
	if m.found, err = local.Find(m.jujud); err != nil {
		return err
	}
	own, err := m.found.Version(ctx)
	if err != nil {
		return err
	}
	if m.dataDir == "" {
		m.dataDir = m.app.Store().MachineDir(env.Name, "")
	}
	if m.dataDir, err = filepath.Abs(m.dataDir); err != nil {
		return err
	}
	runs, err := s.Environment(ctx)
	if err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	if runs.AgentVersion != own.Number {
		back := ""
		if own.Number.Compare(runs.AgentVersion) > 0 {
			back = " --rollback"
		}
		m.app.Say("WARNING %s is %s, the environment runs %s; juju upgrade-juju --version %s%s brings the new machines to it", m.found, own.Number,
			runs.AgentVersion, runs.AgentVersion, back)
	}
	return nil
}

// startLocal starts a machine on this host. The machine is noted in the store before it is started,
// so that destroy-environment finds its files even if this command is killed in between.
func (m *addMachine) startLocal(ctx context.Context, env app.Environment, token bus.JoinToken) error {
	here := app.Machine{ID: token.Machine, DataDir: filepath.Join(m.dataDir, token.Machine)}
	if entries, err := os.ReadDir(here.DataDir); err == nil && len(entries) > 0 {
		return fmt.Errorf("start machine %s: %s is not empty: it may be another machine's", here.ID, here.DataDir)
	}
	if err := host.MakeDirectory(here.DataDir); err != nil {
		return fmt.Errorf("start machine %s: %w", here.ID, err)
	}
	note := func() error {
		return m.app.Store().Update(env.Name, func(e *app.Environment) { e.Put(here) })
	}
	if err := note(); err != nil {
		return err
	}
	log := filepath.Join(here.DataDir, "log", events.MachineTag(here.ID)+".log")
	var err error
	here.PID, here.Started, err = m.found.Start(ctx, log, token.String(), "machine", "--data-dir", here.DataDir, "--join-file", "-")
	if err != nil {
		return errors.Join(fmt.Errorf("start machine %s: %w", here.ID, err), local.Discard(m.app.Store(), env, here))
	}
	if err := note(); err != nil {
		return errors.Join(err, local.Stop(here.PID, here.Started))
	}
	_, err = fmt.Fprintf(m.app.Stdout, "machine %s started\n", here.ID)
	return err
}
