package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/statesrv"
)

func (o *options) selfcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "selfcheck", Short: "Say what this jujud is, and whether it can read this machine's files.", Args: noArgs,
		Long: `Read the machine's configuration and journal, connect to the bus with the machine's
credentials, and print, as JSON, the version of this jujud and what it found. The agent
runs it on a new version before it is tried.`,
		Example: "  jujud selfcheck --data-dir /var/lib/juju",
		RunE: func(cmd *cobra.Command, _ []string) error {
			exe, err := os.Executable()
			if err != nil {
				return err
			}
			misbehave(o.dataDir, "selfcheck")
			check, err := agent.SelfCheck(cmd.Context(), o.dataDir, exe, o.reach)
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(check)
		},
	}
}

// probeTimeout is how long a probe may try to reach the bus. The launcher waits longer than that.
const probeTimeout = 8 * time.Second

func (o *options) probeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "probe", Short: "Say whether this machine can reach the bus.", Args: noArgs,
		Long: `Connect to the bus with this machine's credentials and disconnect. The launcher runs it
with the last good version when a version on trial cannot prove itself: if that one
cannot connect either, the new one is not to blame. A state server is its own bus.`,
		Example: "  jujud probe --data-dir /var/lib/juju",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if statesrv.IsStateServer(o.dataDir) {
				return nil
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), probeTimeout)
			defer cancel()
			conf, err := agent.LoadConf(o.dataDir)
			if err != nil {
				return err
			}
			return o.reach(ctx, conf)
		},
	}
}

func (o *options) undoStepsCommand() *cobra.Command {
	var to string
	cmd := &cobra.Command{
		Use: "undo-steps", Short: "Undo this version's upgrade steps.", Hidden: true, Args: noArgs,
		Long: `Undo the upgrade steps of this version, and of those between, down to an older one. The
agent of the older version runs it when this version was taken back.`,
		Example: "  jujud undo-steps --data-dir /var/lib/juju --to 1.24.0",
		RunE: func(cmd *cobra.Command, _ []string) error {
			target, err := version.Parse(to)
			if err != nil {
				return fmt.Errorf("%w: --to: %w", errUsage, err)
			}
			conf, err := agent.LoadConf(o.dataDir)
			if err != nil {
				return err
			}
			own, err := ownVersion()
			if err != nil {
				return err
			}
			return agent.UndoSteps(cmd.Context(), steps.Registry, conf, statesrv.IsStateServer(o.dataDir), own.Number, target)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "the version whose steps stay")
	return cmd
}
