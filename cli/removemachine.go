package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/events"
)

func (a *juju) removeMachineCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "remove-machine ID...", Short: "Remove machines from the environment", Args: cobra.MinimumNArgs(1),
		Long: `Remove machines: their agents are not obeyed any more. A machine that still runs units is
refused. A machine that this client started on this host is stopped, and its files are
removed; before that, it is asked whether you are sure.`,
		Example: "  juju remove-machine 3\n  juju remove-machine 3 4 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := make([]string, 0, len(args))
			for _, arg := range args {
				id := strings.TrimPrefix(arg, "machine-")
				if !events.IsMachine(id) {
					return app.Usage("%q is no machine; juju status lists them", arg)
				}
				ids = append(ids, id)
			}
			return a.with(cmd.Context(), func(s *session) error { return s.removeMachines(cmd.Context(), ids, yes) })
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask before files on this host are removed")
	return cmd
}

// removeMachines removes one after another; what was removed before one is refused stays
// removed.
func (s *session) removeMachines(ctx context.Context, ids []string, yes bool) error {
	var files []string
	for _, m := range s.Env.Machines {
		if slices.Contains(ids, m.ID) {
			files = append(files, fmt.Sprintf("\n  machine %s: %s", m.ID, m.DataDir))
		}
	}
	if len(files) > 0 && !yes && !s.app.Confirm("These files on this host will be removed for ever:"+strings.Join(files, "")) {
		return app.Fail(errors.New("not confirmed"), "Nothing was changed.", "")
	}
	for _, id := range ids {
		if _, err := s.Request(ctx, events.Ask{Action: events.ActionRemoveMachine, RemoveMachine: id}); err != nil {
			return err
		}
		for _, m := range s.Env.Machines {
			if m.ID != id {
				continue
			}
			if err := local.Discard(s.app.Store(), s.Env, m); err != nil {
				return err
			}
		}
		s.app.Say("Removed machine %s", id)
	}
	return nil
}
