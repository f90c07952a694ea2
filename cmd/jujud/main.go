// Command jujud is the server software: the machine's launcher, its agent, and the
// state server, in a single binary. `jujud help` lists what it can be.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/network"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == agent.GateCommand { // the process becomes a workload: no flags, no signal handlers
		fmt.Fprintln(os.Stderr, "ERROR", agent.Gate(os.Args[2:]))
		os.Exit(exitError)
	}
	if len(os.Args) > 1 && os.Args[1] == network.Command { // the process gives root up, before anything else
		go becomeIdle(context.Background(), slog.Default())
		if err := network.Be(os.Args[2:], newID); err != nil {
			fmt.Fprintln(os.Stderr, "ERROR", err)
			os.Exit(exitError)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(ctx, os.Args[1:]))
}

// Exit codes, as juju's.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// errUsage marks an error in the command line itself.
var errUsage = errors.New("usage")

// run runs a command line and returns the exit code.
func run(ctx context.Context, args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "ERROR", err)
		return exitUsage
	}
	fmt.Fprintln(os.Stderr, "ERROR", err)
	return exitError
}

// options are the flags that every command has.
type options struct {
	dataDir string
	debug   bool
}

func rootCommand() *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   "jujud",
		Short: "The server software of a Jujube environment.",
		Long: `jujud runs on every machine of an environment: as the launcher and agent of the
machine, and on state servers as the state server too. Operators use juju instead.`,
		Example:       "  jujud machine --data-dir /var/lib/juju --join-file FILE\n  jujud machine --data-dir /var/lib/juju",
		SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("%w: jujud has no command %q; `jujud help` lists them", errUsage, args[0])
			}
			return cmd.Help()
		},
		Args: cobra.ArbitraryArgs,
	}
	root.PersistentFlags().StringVar(&o.dataDir, "data-dir", "/var/lib/juju", "directory of this machine's configuration, tools and logs")
	root.PersistentFlags().BoolVar(&o.debug, "debug", false, "log more")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(
		o.machineCommand(), o.stateServerCommand(), o.bootstrapCommand(), o.logCommand(), o.agentCommand(), o.enrolCommand(), o.renewCommand(), o.selfcheckCommand(),
		o.probeCommand(), o.undoStepsCommand(), o.installLauncherCommand(), o.natsConfigCommand(), o.natsCertificateCommand(), o.authorityCommand(),
		o.machineKeyCommand(), versionCommand(),
	)
	return root
}

// logger writes to stderr, which the launcher passes on.
func (o *options) logger() *slog.Logger {
	level := slog.LevelInfo
	if o.debug {
		level = slog.LevelDebug
	}
	return slog.New(foldRepeats(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
}

// noArgs refuses arguments as an error of usage.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: %s takes no arguments, not %q", errUsage, cmd.CommandPath(), args)
	}
	return nil
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the binary version of this jujud.", Args: noArgs,
		Long:    "Print the binary version of this jujud: number, series and architecture. A FORCE-VERSION\nfile beside it overrides the number.",
		Example: "  jujud version",
		RunE: func(cmd *cobra.Command, _ []string) error {
			exe, err := os.Executable()
			if err != nil {
				return err
			}
			v, err := agent.OwnVersion(exe)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), v)
			return err
		},
	}
}
