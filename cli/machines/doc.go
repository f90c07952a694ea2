// Package machines holds the commands about machines and the units on them: add-machine,
// approve-machine, remove-machine, resolved, restart-agent, deploy, add-unit, remove-unit
// and remove-service.
//
// Most of them make one signed request, and the state server decides whether it is granted. What
// add-machine --local and remove-machine do on this host is in package cli/local.
package machines

import (
	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
)

// Commands are the commands of this family.
func Commands(a *app.App) []*cobra.Command {
	return []*cobra.Command{
		newAddMachine(a).command(), (&approveMachine{app: a}).command(), (&removeMachine{app: a}).command(), (&resolved{app: a}).command(),
		(&restartAgent{app: a}).command(), (&deploy{app: a}).command(), (&addUnit{app: a}).command(),
		(&removeUnit{app: a}).command(), (&removeService{app: a}).command(),
	}
}
