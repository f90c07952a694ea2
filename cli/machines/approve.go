package machines

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
)

// approveMachine is `juju approve-machine`.
type approveMachine struct{ app *app.App }

func (c *approveMachine) command() *cobra.Command {
	return &cobra.Command{
		Use: "approve-machine ID...", Short: "Let hosts that have joined be the machines they joined as", Args: cobra.MinimumNArgs(1),
		Long: `Approve machines that wait for it: juju status shows them as pending, and why. Until then
they are given nothing: no tools, no units, no orders. Look at their names and their
host before; juju remove-machine sends away who should not be there.`,
		Example: "  juju approve-machine 3\n  juju approve-machine 3 4 5",
		RunE: func(cmd *cobra.Command, args []string) error {
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, args) })
		},
	}
}

// run approves one machine after another. If one is refused, those before it stay approved.
func (c *approveMachine) run(ctx context.Context, s requester, machines []string) error {
	for _, arg := range machines {
		id, err := machineID(arg)
		if err != nil {
			return err
		}
		if _, err := s.Request(ctx, events.Ask{Action: events.ActionApproveMachine, ApproveMachine: id}); err != nil {
			return err
		}
		c.app.Say("Approved machine %s", id)
	}
	return nil
}
