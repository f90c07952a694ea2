package cli

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
)

func (a *juju) trustRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke SORT VALUE...", Short: "Take an archive, a key or a request back", Args: cobra.MinimumNArgs(2),
		Long:    "Publish that nobody may rely on these any more. SORT is artefact (sha256 of an archive), key\n(public key of an operator or machine) or request (its id). Machines that run a revoked archive\ngo on; they refuse to be brought to it.",
		Example: "  juju trust revoke artefact 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withSite(cmd.Context(), func(p *site) error {
				revoked := p.trusted.Revoked()
				list := map[string]*[]string{"artefact": &revoked.Artefacts, "key": &revoked.Keys, "request": &revoked.Requests}[args[0]]
				if list == nil {
					return app.Usage("%q is not artefact, key or request", args[0])
				}
				*list = append(slices.Clone(*list), args[1:]...)
				slices.Sort(*list)
				*list = slices.Compact(*list)
				if err := revoked.Validate(); err != nil {
					return app.Usage("%v", err)
				}
				return p.change(cmd.Context(), func(repo *tuf.Repository) error {
					return repo.SetJSON(time.Now().Add(tuf.TargetsLife), tuf.FileRevoked, revoked)
				})
			})
		},
	}
}

func (a *juju) trustFloorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "floor VERSION", Short: "Let no machine go below a version", Args: cobra.ExactArgs(1),
		Long:    "Publish the oldest version that may be installed, even by a rollback.",
		Example: "  juju trust floor 1.25.2",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := version.ParsePerson(args[0])
			if err != nil {
				return app.Usage("%v", err)
			}
			return a.withSite(cmd.Context(), func(p *site) error {
				env, err := p.session.Environment(cmd.Context())
				if err != nil {
					return app.Fail(err, "Nothing was published.", "")
				}
				if env.AgentVersion.Compare(n) < 0 {
					a.Say("WARNING machines run %s: what they run goes on, and nothing below %s is installed from now on", env.AgentVersion, n)
				}
				return p.change(cmd.Context(), func(repo *tuf.Repository) error {
					return repo.SetJSON(time.Now().Add(tuf.TargetsLife), tuf.FileFloor, tuf.Floor{Version: n})
				})
			})
		},
	}
}

func (a *juju) trustQuorumCommand() *cobra.Command {
	var labels map[string]string
	cmd := &cobra.Command{
		Use: "quorum N", Short: "Say how many operators must agree", Args: cobra.ExactArgs(1),
		Long:    "Publish how many operators must agree to what concerns machines with these labels, who asks\nincluded; without --labels, to anything. 1 takes that back.",
		Example: "  juju trust quorum 2 --labels env=prod",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[0])
			if err != nil || n < 1 {
				return app.Usage("%q is not a number from 1", args[0])
			}
			return a.withSite(cmd.Context(), func(p *site) error {
				return p.changeRoster(cmd.Context(), func(r *events.Roster) error {
					r.Quorums = slices.DeleteFunc(r.Quorums, func(q events.Quorum) bool { return maps.Equal(q.Labels, labels) })
					if n > 1 {
						r.Quorums = append(r.Quorums, events.Quorum{Labels: labels, Operators: n})
					}
					if able := mayAgree(*r, labels); able < n {
						a.Say("WARNING only %d of the operators may agree there: until there are %d, nobody can upgrade those machines (juju user add NAME KEY approve)", able, n)
					}
					return nil
				})
			})
		},
	}
	cmd.Flags().StringToStringVar(&labels, "labels", nil, "NAME=VALUE of the machines, with commas between (default: every machine)")
	return cmd
}

// mayAgree is how many operators may ask for, or agree to, what concerns such machines.
func mayAgree(r events.Roster, labels map[string]string) (n int) {
	for _, o := range r.Operators {
		if o.May(events.RoleOperate, labels) || o.May(events.RoleApprove, labels) {
			n++
		}
	}
	return n
}

// changeRoster publishes other operators, quorums or state servers.
func (p *site) changeRoster(ctx context.Context, f func(*events.Roster) error) error {
	roster := p.trusted.Roster()
	roster.Operators, roster.Quorums = slices.Clone(roster.Operators), slices.Clone(roster.Quorums)
	if err := f(&roster); err != nil {
		return err
	}
	if err := roster.Validate(); err != nil {
		return app.Usage("%v", err)
	}
	return p.change(ctx, func(repo *tuf.Repository) error {
		return repo.SetJSON(time.Now().Add(tuf.TargetsLife), tuf.FileOperators, roster)
	})
}
