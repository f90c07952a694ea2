package trust

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
)

// userCommand is the group `juju user`.
func userCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use: "user", Short: "Say who may ask for what",
		Long: `Operators are people with a key of their own. Who they are and what they may ask for is part of
the environment's signed metadata, which machines believe and state servers cannot change.

  juju user key                          the new one makes his key, and tells you its public half
  juju user add bob KEY operate --labels env=prod
                                         you add him, and get a line for him, with no secret in it
  juju user accept LINE                  he takes it, and has the environment

Roles: read sees everything; operate asks for upgrades, restarts and units, except on state servers;
control-plane is what operate is, on state servers; approve agrees to what others asked; release
brings tools; admin may do all that, and machines, settings and operators. An upgrade is of every
machine, so it takes both operate and control-plane, or admin. With --labels a role holds for
machines with those labels only.`,
		Example: "  juju user list\n  juju user remove bob",
	}
	cmd.AddCommand((&userKey{app: a}).command(), (&addUser{app: a}).command(), (&accept{app: a}).command(), (&listUsers{app: a}).command(),
		(&grant{app: a}).command(), (&removeUser{app: a}).command())
	signing.YesFlag(cmd.PersistentFlags(), a)
	return cmd
}
