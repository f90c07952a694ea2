package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

func (a *juju) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "user", Short: "Say who may ask for what",
		Long: `Operators are people with a key of their own. Who they are and what they may ask for is part of
the environment's signed metadata, which machines believe and state servers cannot change.

  juju user key                          the new one makes his key, and tells you its public half
  juju user add bob KEY operate --labels env=prod
                                         you add him, and get a line for him, with no secret in it
  juju user accept LINE                  he takes it, and has the environment

Roles: read sees everything; operate asks for upgrades, restarts and units; approve agrees to what
others asked; release brings tools; admin may do all that, and machines, settings and operators.
With --labels a role holds for machines with those labels only.`,
		Example: "  juju user list\n  juju user remove bob",
	}
	cmd.AddCommand(a.userKeyCommand(), a.userAddCommand(), a.userAcceptCommand(), a.userListCommand(), a.userGrantCommand(), a.userRemoveCommand())
	return cmd
}

func (a *juju) userKeyFile() string { return a.Store().Path("user.key") }

func (a *juju) userKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "key", Short: "Make this client's key as an operator, and print its public half", Args: cobra.NoArgs,
		Long:    "Make a key for this client, unless it has one, in JUJU_DATA/user.key, and print its public half:\nwhoever is admin of an environment adds that with juju user add. The key never leaves this client.",
		Example: "  juju user key",
		RunE: func(*cobra.Command, []string) error {
			id, err := a.userKey()
			if errors.Is(err, fs.ErrNotExist) {
				id, err = a.makeUserKey()
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Stdout, id.Public())
			return err
		},
	}
}

// userKey is this client's key. A file that others can read is refused.
func (a *juju) userKey() (*bus.Identity, error) {
	b, err := host.ReadSecret(a.userKeyFile())
	if err != nil {
		return nil, err
	}
	return bus.ParseIdentity([]byte(strings.TrimSpace(string(b))))
}

func (a *juju) makeUserKey() (*bus.Identity, error) {
	id, err := bus.NewIdentity()
	if err == nil {
		err = os.MkdirAll(string(a.Store()), 0o700)
	}
	if err != nil {
		return nil, err
	}
	return id, host.WriteFile(a.userKeyFile(), append(id.Seed(), '\n'))
}

// grantFlags are those of a role and where it holds.
func grantFlags(cmd *cobra.Command, labels *map[string]string) {
	cmd.Flags().StringToStringVar(labels, "labels", nil, "NAME=VALUE,… of the machines that the role is for (default: every machine)")
}

func (a *juju) userAddCommand() *cobra.Command {
	var labels map[string]string
	cmd := &cobra.Command{
		Use: "add NAME KEY ROLE", Short: "Let somebody be an operator", Args: cobra.ExactArgs(3),
		Long:    "Add an operator under NAME with the public key that his juju user key prints, and a first ROLE.\nWhat is printed is for him: he gives it to juju user accept. There is no secret in it.",
		Example: "  juju user add bob UBOB… operate --labels env=prod\n  juju user add eve UEVE… read",
		RunE: func(cmd *cobra.Command, args []string) error {
			o := events.Operator{Name: args[0], Key: args[1], Grants: []events.Grant{{Role: args[2], Labels: labels}}}
			if !bus.IsPublicKey(o.Key) {
				return app.Usage("%q is no public key; juju user key prints one", o.Key)
			}
			return a.withRoster(cmd.Context(), o.Key, func(r *events.Roster) error {
				r.Operators = append(r.Operators, o)
				return nil
			})
		},
	}
	grantFlags(cmd, &labels)
	return cmd
}

func (a *juju) userGrantCommand() *cobra.Command {
	var labels map[string]string
	var takeBack bool
	cmd := &cobra.Command{
		Use: "grant NAME ROLE", Short: "Give an operator a role, or take it back", Args: cobra.ExactArgs(2),
		Long:    "Give an operator one more role, or, with --take-back, take that one away. What is printed is for\nhim: with juju user accept he gets what his roles need.",
		Example: "  juju user grant bob approve --labels env=prod\n  juju user grant bob operate --take-back",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withSite(cmd.Context(), func(p *site) error {
				o, err := operatorNamed(p.trusted.Roster(), args[0])
				if err != nil {
					return err
				}
				return p.changeOperators(cmd.Context(), o.Key, func(r *events.Roster) error {
					return grant(r, o.Key, events.Grant{Role: args[1], Labels: labels}, takeBack)
				})
			})
		},
	}
	grantFlags(cmd, &labels)
	cmd.Flags().BoolVar(&takeBack, "take-back", false, "take the role away")
	return cmd
}

func operatorNamed(r events.Roster, name string) (events.Operator, error) {
	i := slices.IndexFunc(r.Operators, func(o events.Operator) bool { return o.Name == name })
	if i < 0 {
		return events.Operator{}, app.Fail(fmt.Errorf("there is no operator %q", name), "Nothing was changed.", "juju user list")
	}
	return r.Operators[i], nil
}

// grant changes one grant of the operator with that key.
func grant(r *events.Roster, key string, g events.Grant, takeBack bool) error {
	same := func(have events.Grant) bool { return have.Role == g.Role && maps.Equal(have.Labels, g.Labels) }
	for i, o := range r.Operators {
		if o.Key != key {
			continue
		}
		has := slices.ContainsFunc(o.Grants, same)
		if takeBack != has {
			return app.Usage("%s has that role already, or has it not; juju user list shows it", o.Name)
		}
		r.Operators[i].Grants = slices.DeleteFunc(slices.Clone(o.Grants), same)
		if !takeBack {
			r.Operators[i].Grants = append(r.Operators[i].Grants, g)
		}
	}
	return nil
}

func (a *juju) userRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Let somebody be an operator no more", Args: cobra.ExactArgs(1),
		Long:    "Remove an operator: machines and state servers do not obey him any more, and he is cut off at once.",
		Example: "  juju user remove bob",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withRoster(cmd.Context(), "", func(r *events.Roster) error {
				o, err := operatorNamed(*r, args[0])
				if err != nil {
					return err
				}
				r.Operators = slices.DeleteFunc(r.Operators, func(other events.Operator) bool { return other.Key == o.Key })
				return nil
			})
		},
	}
}

func (a *juju) withRoster(ctx context.Context, key string, f func(*events.Roster) error) error {
	return a.withSite(ctx, func(p *site) error { return p.changeOperators(ctx, key, f) })
}

// changeOperators publishes other operators, and prints the line for the one with that key.
// The last admin of everything stays.
func (p *site) changeOperators(ctx context.Context, key string, f func(*events.Roster) error) error {
	err := p.changeRoster(ctx, func(r *events.Roster) error {
		if err := f(r); err != nil {
			return err
		}
		if !slices.ContainsFunc(r.Operators, func(o events.Operator) bool { return o.May(events.RoleAdmin, nil) }) {
			return app.Usage("nobody would be admin of every machine any more")
		}
		return nil
	})
	if err != nil || key == "" {
		return err
	}
	line, err := p.session.invitation(ctx, key)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(p.session.app.Stdout, "juju user accept "+line)
	return err
}

func (a *juju) userListCommand() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the operators and what they may ask for", Args: cobra.NoArgs,
		Long:    "List the operators, from the environment's signed metadata: their roles, where those hold, and\ntheir public keys.",
		Example: "  juju user list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withSite(cmd.Context(), func(p *site) error {
				for _, o := range p.trusted.Roster().Operators {
					fmt.Fprintf(a.Stdout, "%-20s %s  %s\n", o.Name, o.Key, grantsText(o.Grants))
				}
				return nil
			})
		},
	}
}

func grantsText(grants []events.Grant) string {
	var words []string
	for _, g := range grants {
		var labels []string
		for _, k := range slices.Sorted(maps.Keys(g.Labels)) {
			labels = append(labels, k+"="+g.Labels[k])
		}
		word := g.Role
		if len(labels) > 0 {
			word += "(" + strings.Join(labels, ",") + ")"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}
