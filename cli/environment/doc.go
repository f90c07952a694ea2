// Package environment has the commands that make an environment, destroy it, list what this
// client knows and switch between them, those of its settings, and http-token.
//
// bootstrap makes the operator's keys and signs the environment's first metadata; jujud, which
// it starts, makes everything that a state server and a machine need. What was made is removed
// again when a later step fails.
package environment

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// Commands are the commands of this family. invite is `juju container invite`: it belongs to the
// family of machines, and to the group `juju container` of this one.
func Commands(a *app.App, invite *cobra.Command) []*cobra.Command {
	return []*cobra.Command{
		(&bootstrap{app: a}).command(), containerCommand(a, invite), (&destroyEnvironment{app: a}).command(),
		(&listEnvironments{app: a}).command(), (&switchTo{app: a}).command(),
		(&setEnv{app: a}).command(), (&getEnv{app: a}).command(), (&unsetEnv{app: a}).command(), (&httpToken{app: a}).command(),
	}
}
