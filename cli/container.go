package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/events"
)

// containerCommand holds what docker-compose.yml runs once before the servers: an image
// of two binaries has no shell to decide what is to be done. Both commands do nothing
// when what they make is there.
func (a *juju) containerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "container", Short: "Prepare an environment of containers", Hidden: true,
		Long:    "Prepare the volumes of an environment of containers; docker-compose.yml uses it.",
		Example: "  docker compose up",
	}
	cmd.AddCommand(a.containerBootstrapCommand(), a.containerInviteCommand())
	return cmd
}

func (a *juju) containerBootstrapCommand() *cobra.Command {
	b := &bootstrap{name: "compose", host: "0.0.0.0", systemd: true, port: 17070}
	cmd := &cobra.Command{
		Use: "bootstrap", Short: "Make the environment, if there is none", Args: cobra.NoArgs,
		Long:    "Make the environment's keys and its state server's configuration, if there is none yet.",
		Example: "  juju container bootstrap --data-dir /state --advertise state-server",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := os.Stat(a.Store().EnvironmentFile(b.name)); !errors.Is(err, fs.ErrNotExist) {
				if err != nil || local.IsStateServer(b.dataDir) {
					return err
				}
				if err := a.startOver(b.name); err != nil {
					return err
				}
			}
			quiet := *a.App
			quiet.Stdout = io.Discard // the systemd unit is of no use here
			b.app = &juju{&quiet}
			return b.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&b.dataDir, "data-dir", "", "machine 0's directory")
	f.StringSliceVar(&b.advertise, "advertise", nil, "name of the state server's container")
	f.StringVar(&b.http, "http", "", "HOST:PORT of the web page, /status, /metrics and /healthz")
	f.StringVar(&b.jujudPath, "jujud", "", "the jujud that the state server runs")
	return cmd
}

// startOver takes back a bootstrap that was cut off before its last file, the state
// server's configuration, was written.
func (a *juju) startOver(name string) error {
	env, err := a.Store().Load(name)
	if err != nil {
		return err
	}
	return a.destroy(env)
}

// inviteTimeout bounds how long the state server may take to come up.
const inviteTimeout = 2 * time.Minute

func (a *juju) containerInviteCommand() *cobra.Command {
	var m addMachine
	cmd := &cobra.Command{
		Use: "invite", Short: "Make places for machines, if there are none", Args: cobra.NoArgs,
		Long:    "Wait for the state server, and write join tokens for machines whose tokens are missing.",
		Example: "  juju container invite --tokens /join -n 3",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), inviteTimeout)
			defer cancel()
			return a.invite(ctx, m)
		},
	}
	f := cmd.Flags()
	f.StringVar(&m.tokens, "tokens", "/join", "directory of the tokens")
	f.IntVarP(&m.n, "number", "n", 1, "how many machines")
	m.ttl, m.dataDir = 24*time.Hour, "/var/lib/juju"
	return cmd
}

func (a *juju) invite(ctx context.Context, m addMachine) error {
	last := filepath.Join(m.tokens, events.MachineTag(fmt.Sprint(m.n))+".join")
	if _, err := os.Stat(last); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for {
		err := a.with(ctx, func(s *session) error { return s.addMachines(ctx, m) })
		if refused := (app.Refused{}); err == nil || errors.As(err, &refused) {
			return err
		}
		a.Say("Waiting for the state server: %v", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}
