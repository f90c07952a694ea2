package machines

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
)

// resolved is `juju resolved`.
type resolved struct {
	app     *app.App
	machine string
}

func (c *resolved) command() *cobra.Command {
	return &cobra.Command{
		Use: "resolved MACHINE", Short: "Let a machine try again the versions that failed there", Args: cobra.ExactArgs(1),
		Long: `Let a machine try again the versions that it refuses. A build that failed on a machine by
its own fault is refused there until this command; juju status shows which, and why. What
failed for want of disk or network is not refused, and needs no command.`,
		Example: "  juju resolved 3\n  juju resolved machine-3",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if c.machine, err = machineID(args[0]); err != nil {
				return err
			}
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s) })
		},
	}
}

func (c *resolved) run(ctx context.Context, s requester) error {
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionResolved, Resolved: c.machine})
	if err != nil || session.WaitsFor(recs) > 0 {
		return err
	}
	c.app.Say("Machine %s may try again the versions that failed there", c.machine)
	return nil
}
