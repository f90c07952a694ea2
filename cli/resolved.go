package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
)

func (a *juju) resolvedCommand() *cobra.Command {
	return &cobra.Command{
		Use: "resolved MACHINE", Short: "Let a machine try again the versions that failed there", Args: cobra.ExactArgs(1),
		Long: `Let a machine try again the versions that it refuses. A build that failed on a machine by
its own fault is refused there until this command; juju status shows which, and why. What
failed for want of disk or network is not refused, and needs no command.`,
		Example: "  juju resolved 3\n  juju resolved machine-3",
		RunE: func(cmd *cobra.Command, args []string) error {
			id := strings.TrimPrefix(args[0], "machine-")
			if !events.IsMachine(id) {
				return app.Usage("%q is no machine; juju status lists them", args[0])
			}
			return a.with(cmd.Context(), func(s *session) error {
				if _, err := s.Request(cmd.Context(), events.Ask{Action: events.ActionResolved, Resolved: id}); err != nil {
					return err
				}
				s.app.Say("Machine %s may try again the versions that failed there", id)
				return nil
			})
		},
	}
}
