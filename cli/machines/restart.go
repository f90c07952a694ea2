package machines

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
)

// restartAgent is `juju restart-agent`.
type restartAgent struct {
	app  *app.App
	tags []string
	all  bool
	wait bool
}

func (c *restartAgent) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "restart-agent TAG... | --all", Short: "Restart agents in place", Args: cobra.ArbitraryArgs,
		Long: `Restart the agents of machines or units. Workloads go on undisturbed. The agent of a unit
lives in its machine's. An agent that is about to restart anyway, for an upgrade or an
earlier request, is not restarted twice.`,
		Example: "  juju restart-agent machine-1\n  juju restart-agent web/0 --wait\n  juju restart-agent --all",
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.all == (len(args) > 0) {
				return app.Usage("name the agents, or say --all")
			}
			c.tags = args
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, s.Log()) })
		},
	}
	cmd.Flags().BoolVar(&c.all, "all", false, "every agent")
	cmd.Flags().BoolVar(&c.wait, "wait", false, "wait until every agent is back")
	return cmd
}

// restartTimeout bounds --wait.
const restartTimeout = 5 * time.Minute

// run asks for the restarts. With --wait it follows the log until each of them has ended.
func (c *restartAgent) run(ctx context.Context, s requester, log events.Log) error {
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionRestart, Restart: &events.AskRestart{Tags: c.tags, All: c.all}})
	if err != nil {
		return err
	}
	open, anyway := restartsOf(recs)
	c.app.Say("%d agents were ordered to restart", len(open)-len(anyway))
	if len(anyway) > 0 {
		c.app.Say("Restarting anyway, for an order that they have already: %s", strings.Join(anyway, ", "))
	}
	if !c.wait || len(open) == 0 {
		return nil
	}
	waiting, cancel := context.WithTimeout(ctx, restartTimeout)
	defer cancel()
	failed, err := c.await(waiting, log, recs[0].Seq, open)
	switch {
	case ctx.Err() != nil:
		return app.Fail(errors.New("interrupted"), "The agents restart without this command.", "juju status")
	case errors.Is(err, context.DeadlineExceeded):
		err = app.Fail(fmt.Errorf("%d agents have not restarted within %v", len(open), restartTimeout), "They restart when they can.", "juju status")
	}
	return errors.Join(append(failed, err)...)
}

// merged stands in place of an order for an agent that got no new one: the order that it had before
// restarts it. Which one that is, the decision does not say.
const merged = ""

// restartsOf reads a decision. open has the order of each machine that was asked to restart; anyway
// names the agents that got no order because they restart anyway.
func restartsOf(recs []events.Record) (open map[string]string, anyway []string) {
	open = map[string]string{}
	ordered := map[string]string{}
	var asked []string
	for _, rec := range recs {
		p, err := events.Decode(rec)
		if err != nil {
			continue
		}
		switch p := p.(type) {
		case *events.RestartRequested:
			asked = p.Machines
		case *events.RestartOrdered:
			ordered[p.Machine] = p.Order
		}
	}
	for _, m := range asked {
		if open[m] = ordered[m]; open[m] == merged {
			anyway = append(anyway, events.MachineTag(m))
		}
	}
	return open, anyway
}

// await follows the log from the orders on, and removes each machine from open when its order has
// ended. It returns when open is empty. An agent that did not restart is added to failed; the wait
// for the others goes on.
func (c *restartAgent) await(ctx context.Context, log events.Log, from uint64, open map[string]string) (failed []error, err error) {
	for rec, err := range log.Follow(ctx, from) {
		if ctx.Err() != nil {
			return failed, ctx.Err()
		}
		if errors.Is(err, events.ErrInvalid) {
			continue
		}
		if err != nil {
			return failed, err
		}
		machine, order, why := endOf(rec)
		if wanted, ok := open[machine]; !ok || order == "" || (wanted != merged && wanted != order) {
			continue
		}
		delete(open, machine)
		if why == "" {
			c.app.Say("%s is back", events.MachineTag(machine))
		} else {
			failed = append(failed, fmt.Errorf("%s did not restart: %s", events.MachineTag(machine), why))
		}
		if len(open) == 0 {
			return failed, nil
		}
	}
	return failed, errors.New("the log ended")
}

// endOf says which order of which machine a record ends; order is empty if it ends none. why is
// empty if the agent has restarted.
func endOf(rec events.Record) (machine, order, why string) {
	switch p, _ := events.Decode(rec); p := p.(type) {
	case *events.RestartDone:
		return p.Machine, p.Order, ""
	case *events.AgentUpgraded:
		return p.Machine, p.Order, ""
	case *events.AgentRolledBack:
		return p.Machine, p.Order, ""
	case *events.AgentUpgradeFailed:
		return p.Machine, p.Order, "the upgrade that was to restart it failed first: " + p.Failure.Text
	case *events.OrderSuperseded:
		return p.Machine, p.Order, p.Reason
	case *events.OrderTimedOut:
		return p.Machine, p.Order, "its order ran out of time"
	}
	return "", "", ""
}
