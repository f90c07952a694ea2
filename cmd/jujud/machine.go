package main

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/launcher"
	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/statesrv"
)

func (o *options) machineCommand() *cobra.Command {
	var join joinToken
	var workloads string
	cmd := &cobra.Command{
		Use: "machine", Short: "Run this machine's agent, and keep it running.", Args: noArgs,
		Long: `Run this machine's agent under a launcher that restarts it, and that goes back to the
version before when a new one does not prove itself. With --join-file the machine is first
enrolled, once, with a token of juju add-machine.`,
		Example: `  jujud machine --data-dir /var/lib/juju --join-file /media/stick/machine-3.join
  jujud machine --data-dir /var/lib/juju --join-file - < machine-3.join
  jujud machine --data-dir /var/lib/juju`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := join.check(); err != nil {
				return err
			}
			join.stdin = cmd.InOrStdin()
			if err := o.enrolOnce(cmd.Context(), join); err != nil {
				return err
			}
			return o.launch(cmd.Context(), workloads)
		},
	}
	join.flags(cmd)
	workloadsFlag(cmd, &workloads)
	return cmd
}

func workloadsFlag(cmd *cobra.Command, workloads *string) {
	cmd.Flags().StringVar(workloads, "workloads", pipe.WorkloadsStop, "what happens to workloads when this is stopped: stop or keep")
}

func (o *options) stateServerCommand() *cobra.Command {
	var workloads string
	cmd := &cobra.Command{
		Use: "state-server", Short: "Run a state server, and its machine's agent.", Args: noArgs,
		Long: `Run the machine whose data directory juju bootstrap prepared as a state server: NATS,
the log and the decisions on it, together with the machine's own agent.`,
		Example: "  jujud state-server --data-dir /var/lib/juju",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !statesrv.IsStateServer(o.dataDir) {
				return fmt.Errorf("%s is no state server's data directory; nothing was started; juju bootstrap prepares one", o.dataDir)
			}
			return o.launch(cmd.Context(), workloads)
		},
	}
	workloadsFlag(cmd, &workloads)
	return cmd
}

// launcherMemory is the soft memory limit of the launcher, in bytes: near it, garbage is
// collected more often (debug.SetMemoryLimit).
const launcherMemory = 8 << 20

// launch runs the launcher until ctx ends. Before it reads anything, it checks that nobody else
// could have changed the data directory: from there it executes programs as root.
func (o *options) launch(ctx context.Context, workloads string) error {
	if workloads != pipe.WorkloadsStop && workloads != pipe.WorkloadsKeep {
		return fmt.Errorf("%w: --workloads is stop or keep, not %q", errUsage, workloads)
	}
	if err := install.Ours(o.dataDir); err != nil {
		return err
	}
	debug.SetGCPercent(20)
	debug.SetMemoryLimit(launcherMemory)
	go becomeIdle(ctx, o.logger())
	conf, err := agent.LoadConf(o.dataDir)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	own, err := agent.OwnVersion(exe)
	if err != nil {
		return err
	}
	v := conf.Values
	return launcher.Launch(ctx, launcher.Config{
		Layout: conf.Layout(), Exe: exe, Version: own.String(), Workloads: workloads, Logger: o.logger(),
		Timing: launcher.Timing{
			Ready: v.ReadyTimeout, Silence: v.SilenceTimeout, Trial: v.TrialTimeout, Settle: v.SettleTime, Stop: v.StopTimeout,
			Backoff: v.RestartPause, Attempts: v.TrialAttempts,
		},
	})
}

// ownVersion is the version of this jujud.
func ownVersion() (version.Binary, error) {
	exe, err := os.Executable()
	if err != nil {
		return version.Binary{}, err
	}
	return agent.OwnVersion(exe)
}

// newID is a new id of a record, a request or a connection; ids made later sort later.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
