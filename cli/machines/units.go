package machines

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
)

// deploy is `juju deploy`.
type deploy struct {
	app     *app.App
	to      string // the machine
	restart string
	user    string
	env     unitEnv
}

func (c *deploy) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "deploy NAME --to MACHINE -- COMMAND [ARG...]", Short: "Run a command on a machine as a unit of a service",
		Args: cobra.MinimumNArgs(2),
		Long: `Run COMMAND on a machine as a unit of the service NAME. The machine's unit agent starts
it, watches it, and starts it again by the restart policy, with longer and longer pauses.
It goes on undisturbed, with its PID and its connections, while agents are upgraded,
restarted or rolled back. juju status shows its state and, when it ended, how.

Its output is in log/unit-NAME-N.log of the machine; a log of more than 10 MiB is moved
to .1, and three old ones are kept. A service is one command: juju add-unit runs one more
unit of it.

It runs as a user of the service's own, which the machine makes, in a directory of that
user; --user names another one, which the machine must have (--user root).

The values of the environment are sealed for the machine: nobody else can read them, in the
log or on the way. The log proves the machine's key by what an operator and the host signed;
where it cannot (machine 0, machines enrolled by older versions), --machine-key says it.`,
		Example: `  juju deploy web --to 1 -- /usr/bin/python3 -m http.server 8000
  juju deploy job --to 2 --user backup --restart never --env-file job.env -- /usr/local/bin/job`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := c.ask(args[0], args[1:])
			if err != nil {
				return err
			}
			c.env.app = c.app
			values, err := c.env.values()
			if err != nil {
				return err
			}
			return session.With(cmd.Context(), c.app, func(s *session.Session) error {
				env, err := c.env.sealedFor(cmd.Context(), s, func() (*verifier, error) { return newVerifier(cmd.Context(), c.app, s) }, d.Machine, values)
				if err != nil {
					return err
				}
				return place(cmd.Context(), c.app, s, events.Ask{Action: events.ActionDeploy, Deploy: d}, env)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.to, "to", "", "the machine to run on")
	f.StringVar(&c.restart, "restart", events.RestartAlways, "when to start it again: always, on-failure or never")
	f.StringVar(&c.user, "user", "", "user of the machine to run as (default: a user of the service's own)")
	c.env.flags(f)
	f.SetInterspersed(true)
	return cmd
}

func (c *deploy) ask(service string, command []string) (*events.AskDeploy, error) {
	if c.to == "" {
		return nil, app.Usage("--to names the machine; juju status lists them")
	}
	as := cmp.Or(c.user, events.UserOwn)
	if c.user != "" && !events.IsUser(c.user) {
		return nil, app.Usage("--user %q is no name of a user", c.user)
	}
	return &events.AskDeploy{Service: service, Machine: strings.TrimPrefix(c.to, "machine-"), Command: command, Restart: c.restart, User: as}, nil
}

// place asks for a unit, and prints which unit it became and on which machine.
func place(ctx context.Context, a *app.App, s *session.Session, ask events.Ask, env session.Environment) error {
	recs, err := s.RequestUnit(ctx, ask, env)
	if err != nil {
		return err
	}
	for _, rec := range recs {
		if p, err := events.Decode(rec); err == nil {
			if added, ok := p.(*events.UnitAdded); ok {
				fmt.Fprintf(a.Stdout, "unit %s on machine %s\n", added.Unit, added.Machine)
			}
		}
	}
	return nil
}

// addUnit is `juju add-unit`.
type addUnit struct {
	app *app.App
	to  string // the machine
	env unitEnv
}

func (c *addUnit) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "add-unit NAME --to MACHINE", Short: "Run one more unit of a service on a machine", Args: cobra.ExactArgs(1),
		Long: `Run one more unit of the service NAME on a machine: the same command, user and restart
policy as its units have. juju deploy says what a service is. The values of its environment
are typed again: only the machines of its other units can read them.

What you sign is the newest deployment of NAME in the log that an operator has signed, and
it is shown. It must be your own, or of an operator who may deploy wherever you may; else
nothing is asked, and juju deploy says it in your own words.`,
		Example: "  juju add-unit web --to 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.to == "" {
				return app.Usage("--to names the machine; juju status lists them")
			}
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, args[0]) })
		},
	}
	cmd.Flags().StringVar(&c.to, "to", "", "the machine to run on")
	c.env.flags(cmd.Flags())
	return cmd
}

// run signs once more what an operator has signed of the service. A service that the log
// does not know is asked for without a command: the state server refuses it and says why.
func (c *addUnit) run(ctx context.Context, s *session.Session, service string) error {
	c.env.app = c.app
	typed, err := c.env.values()
	if err != nil {
		return err
	}
	v, err := newVerifier(ctx, c.app, s)
	if err != nil {
		return err
	}
	var env session.Environment
	ask := &events.AskAddUnit{Service: service, Machine: strings.TrimPrefix(c.to, "machine-")}
	d, err := v.find(ctx, s.Log(), service)
	if err != nil {
		return app.Fail(fmt.Errorf("what the service %s is cannot be verified, so it is not signed: %w", service, err), "Nothing was asked.",
			fmt.Sprintf("juju deploy %s --to %s -- COMMAND says it in your own words", service, c.to))
	}
	if d != nil {
		c.app.Show("%v", d)
		ask.Command, ask.User, ask.Restart = d.Command, d.User, d.Restart
		values, err := again(d, typed)
		if err != nil {
			return err
		}
		if env, err = c.env.sealedFor(ctx, s, func() (*verifier, error) { return v, nil }, ask.Machine, values); err != nil {
			return err
		}
	}
	return place(ctx, c.app, s, events.Ask{Action: events.ActionAddUnit, AddUnit: ask}, env)
}

// removeService is `juju remove-service`.
type removeService struct{ app *app.App }

func (c *removeService) command() *cobra.Command {
	return &cobra.Command{
		Use: "remove-service NAME...", Short: "Stop all units of services and remove them", Args: cobra.MinimumNArgs(1),
		Long:    "Stop the workloads of all units of services and remove the units. The logs of the\nworkloads stay on the machines.",
		Example: "  juju remove-service web",
		RunE: func(cmd *cobra.Command, args []string) error {
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, args) })
		},
	}
}

// run removes one after another. If one is refused, those before it stay removed.
func (c *removeService) run(ctx context.Context, s requester, services []string) error {
	for _, service := range services {
		if _, err := s.Request(ctx, events.Ask{Action: events.ActionRemoveService, RemoveService: service}); err != nil {
			return err
		}
		c.app.Say("Removed service %s", service)
	}
	return nil
}

// removeUnit is `juju remove-unit`.
type removeUnit struct{ app *app.App }

func (c *removeUnit) command() *cobra.Command {
	return &cobra.Command{
		Use: "remove-unit NAME/N...", Short: "Stop units and remove them", Args: cobra.MinimumNArgs(1),
		Long:    "Stop the workloads of units and remove the units.",
		Example: "  juju remove-unit web/0",
		RunE: func(cmd *cobra.Command, args []string) error {
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s, args) })
		},
	}
}

// run removes one after another. If one is refused, those before it stay removed.
func (c *removeUnit) run(ctx context.Context, s requester, units []string) error {
	for _, unit := range units {
		if _, err := s.Request(ctx, events.Ask{Action: events.ActionRemoveUnit, RemoveUnit: unit}); err != nil {
			return err
		}
		c.app.Say("Removed unit %s", unit)
	}
	return nil
}
