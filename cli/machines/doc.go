// Package machines holds the commands about machines and the units on them: add-machine,
// approve-machine, remove-machine, resolved, restart-agent, deploy, add-unit, remove-unit
// and remove-service.
//
// Most of them make one signed request, and the state server decides whether it is granted. What
// add-machine --local and remove-machine do on this host is in package cli/local.
package machines

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

// Commands are the commands of this family.
func Commands(a *app.App) []*cobra.Command {
	return []*cobra.Command{
		newAddMachine(a).command(), (&approveMachine{app: a}).command(), (&removeMachine{app: a}).command(), (&resolved{app: a}).command(),
		(&restartAgent{app: a}).command(), (&deploy{app: a}).command(), (&addUnit{app: a}).command(),
		(&removeUnit{app: a}).command(), (&removeService{app: a}).command(),
	}
}

// requester makes signed requests and returns what was decided.
type requester interface {
	Request(ctx context.Context, ask events.Ask) ([]events.Record, error)
}

// machineID reads a machine as people write it: 3 or machine-3.
func machineID(arg string) (string, error) {
	id := strings.TrimPrefix(arg, "machine-")
	if !events.IsMachine(id) {
		return "", app.Usage("%q is no machine; juju status lists them", arg)
	}
	return id, nil
}
