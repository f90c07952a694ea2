package environment

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
)

// containerCommand has the commands that docker-compose.yml runs once, before the servers. The
// image has two programs and no shell, so each command decides itself whether there is
// something to do: it does nothing if what it makes exists.
func containerCommand(a *app.App, invite *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "container", Short: "Prepare an environment of containers", Hidden: true,
		Long:    "Prepare the volumes of an environment of containers; docker-compose.yml uses it.",
		Example: "  docker compose up",
	}
	cmd.AddCommand(containerBootstrapCommand(a), invite)
	return cmd
}

func containerBootstrapCommand(a *app.App) *cobra.Command {
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
				if err := startOver(a, b.name); err != nil {
					return err
				}
			}
			quiet := *a
			quiet.Stdout = io.Discard // the systemd unit is of no use here
			b.app = &quiet
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

// startOver removes what is left of a bootstrap that was interrupted before jujud wrote its
// last file, the state server's configuration.
func startOver(a *app.App, name string) error {
	env, err := a.Store().Load(name)
	if err != nil {
		return err
	}
	return destroy(a, env)
}
