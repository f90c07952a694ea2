package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/launcher"
	"github.com/jujube-project/jujube/agent/pipe"
	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
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
		Example: "  jujud machine --data-dir /var/lib/juju --join-file /media/stick/machine-3.join\n  jujud machine --data-dir /var/lib/juju --join-file - < machine-3.join\n  jujud machine --data-dir /var/lib/juju",
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

// enrolOnce enrols the machine in a process of its own, so that the launcher itself
// never holds a connection.
func (o *options) enrolOnce(ctx context.Context, join joinToken) error {
	if err := install.Ours(o.dataDir); err != nil {
		return err
	}
	_, unknown := agent.LoadConf(o.dataDir)
	if unknown == nil || !errors.Is(unknown, agent.ErrNoConf) {
		return unknown
	}
	token, err := join.read()
	if err != nil {
		return err
	}
	if token == "" {
		return unknown
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, exe, "enrol", "--data-dir", o.dataDir)
	cmd.Stdin, cmd.Stderr = strings.NewReader(token), os.Stderr
	if err := cmd.Run(); err != nil {
		return errors.New("the machine was not enrolled; see above")
	}
	return nil
}

// launcherMemory is what the launcher may use before its garbage is collected.
const launcherMemory = 8 << 20

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

func (o *options) enrolCommand() *cobra.Command {
	return &cobra.Command{
		Use: "enrol", Short: "Enrol this host with a join token.", Hidden: true, Args: noArgs,
		Long:    "Enrol this host with the join token on the standard input. jujud machine --join-file does this.",
		Example: "  jujud enrol --data-dir /var/lib/juju < machine-3.join",
		RunE: func(cmd *cobra.Command, _ []string) error {
			token, err := (&joinToken{file: "-", stdin: cmd.InOrStdin()}).read()
			if err != nil {
				return err
			}
			return o.enrol(cmd.Context(), token)
		},
	}
}

const enrolTimeout = time.Minute

// enrol makes this host's key, asks to be enrolled, and writes what it is from now on.
func (o *options) enrol(ctx context.Context, text string) error {
	if err := install.Ours(o.dataDir); err != nil {
		return err
	}
	token, err := bus.ParseJoinToken(text)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, enrolTimeout)
	defer cancel()
	conf := agent.Conf{Tag: "machine-" + token.Machine, DataDir: o.dataDir, Environment: token.Environment, APIAddresses: token.URLs, Labels: token.Labels, TrustRoot: token.Anchor}
	if err := os.MkdirAll(conf.Layout().Agent(), 0o700); err != nil {
		return fmt.Errorf("prepare the data directory: %w", err)
	}
	id, err := hostKey(conf)
	if err != nil {
		return err
	}
	if err := bus.PinAuthorities(conf.AuthoritiesFile(), token.Authorities); err != nil {
		return err
	}
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		URLs: token.URLs, Authorities: conf.AuthoritiesFile(), Credentials: token.Enrol, Name: "enrol " + conf.Tag, Logger: o.logger(),
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	own, err := ownVersion()
	if err != nil {
		return err
	}
	hostname, digest := agent.Host(o.dataDir)
	enrolled, err := conn.Enrol(ctx, token, id, wire.EnrolRequest{Hostname: hostname, Host: digest, Version: own.String()})
	if err != nil {
		return err
	}
	if err := errors.Join(token.Enrol.Save(conf.EnrolFile()), bus.Credentials{JWT: enrolled.JWT, Seed: string(id.Seed())}.Save(conf.CredentialsFile())); err != nil {
		return err
	}
	if len(enrolled.URLs) > 0 {
		conf.APIAddresses = enrolled.URLs
	}
	conf.UpgradedToVersion = own.Number
	return conf.Save()
}

// hostKey makes the host's key before it is used, so that an enrolment whose answer was
// lost is repeated with the same one.
func hostKey(conf agent.Conf) (*bus.Identity, error) {
	path := conf.CredentialsFile() + ".pending"
	b, err := host.ReadSecret(path)
	if err == nil {
		return bus.ParseIdentity(b)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	id, err := bus.NewIdentity()
	if err != nil {
		return nil, err
	}
	return id, host.WriteFile(path, id.Seed())
}

func ownVersion() (version.Binary, error) {
	exe, err := os.Executable()
	if err != nil {
		return version.Binary{}, err
	}
	return agent.OwnVersion(exe)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

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
			check, err := agent.SelfCheck(cmd.Context(), o.dataDir, exe, func(ctx context.Context, conf agent.Conf) error {
				return reach(ctx, conf, o.logger())
			})
			if err != nil {
				return err
			}
			return json.NewEncoder(cmd.OutOrStdout()).Encode(check)
		},
	}
}

// probeTimeout bounds a probe of the bus.
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
			return reach(ctx, conf, o.logger())
		},
	}
}

// reach connects to the bus with the machine's credentials, and disconnects.
func reach(ctx context.Context, conf agent.Conf, log *slog.Logger) error {
	conn, err := connectAgent(ctx, conf, nil, log, nil)
	if err != nil {
		return err
	}
	conn.Close()
	return nil
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
