package environment

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
)

// destroyEnvironment is `juju destroy-environment`.
type destroyEnvironment struct {
	app *app.App
	yes bool // do not ask
}

func (c *destroyEnvironment) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "destroy-environment NAME", Short: "Stop an environment's machines on this host and remove their files", Args: cobra.MaximumNArgs(1),
		Long: `Stop the machines that this client started on this host, remove their data directories,
with the log, and forget the environment. Nothing else is removed: a directory that is
another machine's, or that a jujud still uses which this client did not start, is left
alone. Machines on other hosts are not touched: stop jujud there. There is no way back.`,
		Example:           "  juju destroy-environment trial\n  juju destroy-environment trial --yes",
		ValidArgsFunction: c.app.CompleteEnvironment,
		RunE: func(_ *cobra.Command, args []string) error {
			name, err := c.app.Named(args)
			if err != nil {
				return err
			}
			if name == "" {
				return app.Usage("name the environment: juju destroy-environment NAME; juju environments lists them")
			}
			return c.run(name)
		},
	}
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	return cmd
}

func (c *destroyEnvironment) run(name string) error {
	env, err := c.app.Store().Load(name)
	if err != nil {
		return err
	}
	if !c.yes && !c.app.Confirm(lossOf(env)) {
		return app.Fail(errors.New("not confirmed"), "Nothing was changed.", "")
	}
	return destroy(c.app, env)
}

// lossOf says what is lost when the environment is destroyed.
func lossOf(env app.Environment) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Environment %q, its %d machines on this host and its log will be removed for ever", env.Name, len(env.Machines))
	for _, m := range env.Machines {
		fmt.Fprintf(&b, "\n  machine %s: %s", m.ID, m.DataDir)
	}
	return b.String()
}

// destroy stops the machines, the state server last, because the others report to it. A
// machine is stopped before its files are removed, and forgotten after that, so that a command
// that failed can be typed again.
func destroy(a *app.App, env app.Environment) error {
	machines := slices.Clone(env.Machines)
	slices.Reverse(machines)
	for _, m := range machines {
		a.Say("Stopping machine %s", m.ID)
		if err := local.Discard(a.Store(), env, m); err != nil {
			return err
		}
	}
	return a.Store().Forget(env.Name)
}
