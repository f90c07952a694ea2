package environment

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
)

// containerCommand is the group `juju container`: the commands that docker-compose.yml runs once,
// before the servers. The image has two programs and no shell, so each command decides itself
// whether there is something to do: it does nothing if what it makes exists.
func containerCommand(a *app.App, invite *cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: "container", Short: "Prepare an environment of containers", Hidden: true,
		Long:    "Prepare the volumes of an environment of containers; docker-compose.yml uses it.",
		Example: "  docker compose up",
	}
	cmd.AddCommand(newContainerBootstrap(a).command(), invite)
	return cmd
}

// containerBootstrap is `juju container bootstrap`: a bootstrap with fixed answers, which prints
// no systemd unit.
type containerBootstrap struct {
	app  *app.App
	made bootstrap
}

func newContainerBootstrap(a *app.App) *containerBootstrap {
	return &containerBootstrap{app: a, made: bootstrap{name: "compose", host: "0.0.0.0", port: systemdPort, systemd: true}}
}

func (c *containerBootstrap) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "bootstrap", Short: "Make the environment, if there is none", Args: cobra.NoArgs,
		Long:    "Make the environment's keys and its state server's configuration, if there is none yet.",
		Example: "  juju container bootstrap --data-dir /state --advertise state-server",
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&c.made.dataDir, "data-dir", "", "machine 0's directory")
	f.StringSliceVar(&c.made.advertise, "advertise", nil, "name of the state server's container")
	f.StringVar(&c.made.http, "http", "", "HOST:PORT of the web page, /status, /metrics and /healthz")
	f.StringVar(&c.made.jujudPath, "jujud", "", "the jujud that the state server runs")
	return cmd
}

// run makes the environment, unless it was made to its end before.
func (c *containerBootstrap) run(ctx context.Context) error {
	if _, err := os.Stat(c.app.Store().EnvironmentFile(c.made.name)); !errors.Is(err, fs.ErrNotExist) {
		if err != nil || local.IsStateServer(c.made.dataDir) {
			return err
		}
		if err := c.startOver(); err != nil {
			return err
		}
	}
	quiet := *c.app // as it is now that the flags are read
	quiet.Stdout = io.Discard
	c.made.app = &quiet
	return c.made.run(ctx)
}

// startOver removes what is left of a bootstrap that was interrupted before jujud wrote its
// last file, the state server's configuration.
func (c *containerBootstrap) startOver() error {
	env, err := c.app.Store().Load(c.made.name)
	if err != nil {
		return err
	}
	return destroy(c.app, env)
}
