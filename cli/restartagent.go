package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/events"
)

func (a *App) restartAgentCommand() *cobra.Command {
	var all, wait bool
	cmd := &cobra.Command{
		Use: "restart-agent TAG... | --all", Short: "Restart agents in place", Args: cobra.ArbitraryArgs,
		Long: `Restart the agents of machines or units. Workloads go on undisturbed. The agent of a unit
lives in its machine's. An agent that is about to restart anyway, for an upgrade or an
earlier request, is not restarted twice.`,
		Example: "  juju restart-agent machine-1\n  juju restart-agent web/0 --wait\n  juju restart-agent --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return usage("name the agents, or say --all")
			}
			return a.with(cmd.Context(), func(s *session) error { return s.restart(cmd.Context(), args, all, wait) })
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every agent")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until every agent is back")
	return cmd
}

// restartTimeout bounds --wait.
const restartTimeout = 5 * time.Minute

func (s *session) restart(ctx context.Context, tags []string, all, wait bool) error {
	recs, err := s.request(ctx, events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: tags, All: all}})
	if err != nil {
		return err
	}
	open := map[string]string{}
	for _, rec := range recs {
		if p, err := events.Decode(rec); err == nil {
			if o, ok := p.(*events.RestartOrdered); ok {
				open[o.Order] = o.Machine
			}
		}
	}
	s.app.say("%d agents were ordered to restart", len(open))
	if !wait || len(open) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	for rec, err := range s.Conn.Log().Follow(ctx, recs[len(recs)-1].Seq+1) {
		if ctx.Err() != nil {
			return fail(fmt.Errorf("%d agents have not restarted within %v", len(open), restartTimeout), "They restart when they can.", "juju status")
		}
		if err != nil {
			continue
		}
		if p, err := events.Decode(rec); err == nil {
			if done, ok := p.(*events.RestartDone); ok && open[done.Order] != "" {
				s.app.say("machine-%s is back", open[done.Order])
				delete(open, done.Order)
			}
		}
		if len(open) == 0 {
			return nil
		}
	}
	return errors.New("the log ended")
}
