package machines

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
)

// removeMachine is `juju remove-machine`.
type removeMachine struct {
	app *app.App
	yes bool
}

func (c *removeMachine) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove-machine ID...", Short: "Remove machines from the environment", Args: cobra.MinimumNArgs(1),
		Long: `Remove machines: their agents are not obeyed any more. A machine that still runs units is
refused. A machine that this client started on this host is stopped, and its files are
removed; before that, it is asked whether you are sure.`,
		Example: "  juju remove-machine 3\n  juju remove-machine 3 4 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := make([]string, 0, len(args))
			for _, arg := range args {
				id, err := machineID(arg)
				if err != nil {
					return err
				}
				ids = append(ids, id)
			}
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, s.Env, ids) })
		},
	}
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask before files on this host are removed")
	return cmd
}

// run removes one machine after another. If one is refused, those before it stay removed. env says
// which of the machines this client has started on this host: those are stopped, and their files
// are removed.
func (c *removeMachine) run(ctx context.Context, s requester, env app.Environment, ids []string) error {
	if !c.sure(env, ids) {
		return app.Fail(errors.New("not confirmed"), "Nothing was changed.", "")
	}
	for _, id := range ids {
		if _, err := s.Request(ctx, events.Ask{Action: events.ActionRemoveMachine, RemoveMachine: id}); err != nil {
			return err
		}
		if m, here := env.Machine(id); here {
			if err := local.Discard(c.app.Store(), env, m); err != nil {
				return err
			}
		}
		c.app.Say("Removed machine %s", id)
	}
	return nil
}

// sure asks the person before files on this host are removed. If there are none, it does not ask.
func (c *removeMachine) sure(env app.Environment, ids []string) bool {
	var files []string
	for _, m := range env.Machines {
		if slices.Contains(ids, m.ID) {
			files = append(files, fmt.Sprintf("\n  machine %s: %s", m.ID, m.DataDir))
		}
	}
	return len(files) == 0 || c.yes || c.app.Confirm("These files on this host will be removed for ever:"+strings.Join(files, ""))
}
