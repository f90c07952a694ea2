package trust

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// labelFlag defines --labels: a role holds for the machines with these labels.
func labelFlag(cmd *cobra.Command, labels *map[string]string) {
	cmd.Flags().StringToStringVar(labels, "labels", nil, "NAME=VALUE,… of the machines that the role is for (default: every machine)")
}

// addUser is `juju user add`.
type addUser struct {
	app      *app.App
	operator events.Operator
	labels   map[string]string
}

func (c *addUser) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "add NAME KEY ROLE", Short: "Let somebody be an operator", Args: cobra.ExactArgs(3),
		Long: `Add an operator under NAME with the public key that his juju user key prints, and a first ROLE.
What is printed is for him: he gives it to juju user accept. There is no secret in it.`,
		Example: "  juju user add bob UBOB… operate --labels env=prod\n  juju user add eve UEVE… read",
		RunE: func(cmd *cobra.Command, args []string) error {
			g, err := events.GrantOf(args[2], c.labels)
			if err != nil {
				return app.Usage("%v", err)
			}
			c.operator = events.Operator{Name: args[0], Key: args[1], Grants: []events.Grant{g}}
			if !bus.IsPublicKey(c.operator.Key) {
				return app.Usage("%q is no public key; juju user key prints one", c.operator.Key)
			}
			return signing.WithSite(cmd.Context(), c.app, func(s *session.Session, p *signing.Site) error { return c.run(cmd.Context(), s, s.Env, p) })
		},
	}
	labelFlag(cmd, &c.labels)
	return cmd
}

func (c *addUser) run(ctx context.Context, s wire.Asker, env app.Environment, p *signing.Site) error {
	err := changeOperators(ctx, p, func(r *events.Roster) error {
		r.Operators = append(r.Operators, c.operator)
		return nil
	})
	if err != nil {
		return err
	}
	return printInvitation(ctx, c.app, s, env, c.operator.Key)
}

// grant is `juju user grant`.
type grant struct {
	app      *app.App
	operator string
	grant    events.Grant
	labels   map[string]string
	takeBack bool
}

func (c *grant) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "grant NAME ROLE", Short: "Give an operator a role, or take it back", Args: cobra.ExactArgs(2),
		Long: `Give an operator one more role, or, with --take-back, take that one away. What is printed is for
him: with juju user accept he gets what his roles need. If only read is left, the credentials that
he has end at once, and he needs what is printed to go on.`,
		Example: "  juju user grant bob approve --labels env=prod\n  juju user grant bob control-plane\n  juju user grant bob operate --take-back",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c.operator = args[0]
			if c.grant, err = events.GrantOf(args[1], c.labels); err != nil {
				return app.Usage("%v", err)
			}
			return signing.WithSite(cmd.Context(), c.app, func(s *session.Session, p *signing.Site) error { return c.run(cmd.Context(), s, s.Env, p) })
		},
	}
	labelFlag(cmd, &c.labels)
	cmd.Flags().BoolVar(&c.takeBack, "take-back", false, "take the role away")
	return cmd
}

func (c *grant) run(ctx context.Context, s wire.Asker, env app.Environment, p *signing.Site) error {
	o, err := operatorNamed(p.Trusted.Roster(), c.operator)
	if err != nil {
		return err
	}
	if err := changeOperators(ctx, p, func(r *events.Roster) error { return c.apply(r, o.Key) }); err != nil {
		return err
	}
	return printInvitation(ctx, c.app, s, env, o.Key)
}

// apply gives the role to the operator with that key, or takes it away. A grant is the same only
// if role and labels are.
func (c *grant) apply(r *events.Roster, key string) error {
	same := func(have events.Grant) bool {
		return have.Role == c.grant.Role && maps.Equal(have.Labels, c.grant.Labels)
	}
	for i, o := range r.Operators {
		if o.Key != key {
			continue
		}
		has := slices.ContainsFunc(o.Grants, same)
		if c.takeBack != has {
			return app.Usage("%s has that role already, or has it not; juju user list shows it", o.Name)
		}
		r.Operators[i].Grants = slices.DeleteFunc(slices.Clone(o.Grants), same)
		if !c.takeBack {
			r.Operators[i].Grants = append(r.Operators[i].Grants, c.grant)
		}
	}
	return nil
}

// removeUser is `juju user remove`.
type removeUser struct {
	app      *app.App
	operator string
}

func (c *removeUser) command() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Let somebody be an operator no more", Args: cobra.ExactArgs(1),
		Long:    "Remove an operator: machines and state servers do not obey him any more, and he is cut off at once.",
		Example: "  juju user remove bob",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.operator = args[0]
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error {
				return changeOperators(cmd.Context(), p, c.apply)
			})
		},
	}
}

func (c *removeUser) apply(r *events.Roster) error {
	o, err := operatorNamed(*r, c.operator)
	if err != nil {
		return err
	}
	r.Operators = slices.DeleteFunc(r.Operators, func(other events.Operator) bool { return other.Key == o.Key })
	return nil
}

// listUsers is `juju user list`.
type listUsers struct{ app *app.App }

func (c *listUsers) command() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the operators and what they may ask for", Args: cobra.NoArgs,
		Long:    "List the operators, from the environment's signed metadata: their roles, where those hold, and\ntheir public keys.",
		Example: "  juju user list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error {
				writeOperators(c.app.Stdout, p.Trusted.Roster())
				return nil
			})
		},
	}
}

func writeOperators(out io.Writer, r events.Roster) {
	for _, o := range r.Operators {
		fmt.Fprintf(out, "%-20s %s  %s\n", o.Name, o.Key, signing.GrantsInWords(o.Grants))
	}
}
