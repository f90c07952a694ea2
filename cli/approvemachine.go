package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

func (a *juju) approveMachineCommand() *cobra.Command {
	return &cobra.Command{
		Use: "approve-machine ID...", Short: "Let hosts that have joined be the machines they joined as", Args: cobra.MinimumNArgs(1),
		Long: `Approve machines that wait for it: juju status shows them as pending, and why. Until then
they are given nothing: no tools, no units, no orders. Look at their names and their
host before; juju remove-machine sends away who should not be there.`,
		Example: "  juju approve-machine 3\n  juju approve-machine 3 4 5",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				for _, arg := range args {
					id := strings.TrimPrefix(arg, "machine-")
					if !events.IsMachine(id) {
						return app.Usage("%q is no machine; juju status lists them", arg)
					}
					if _, err := s.Request(cmd.Context(), events.Ask{Action: events.ActionApproveMachine, ApproveMachine: id}); err != nil {
						return err
					}
					a.Say("Approved machine %s", id)
				}
				return nil
			})
		},
	}
}
