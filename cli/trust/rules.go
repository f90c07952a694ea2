package trust

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
)

// revoke is `juju trust revoke`.
type revoke struct {
	app    *app.App
	sort   string // what the values name: artefact, key or request
	values []string
}

func (c *revoke) command() *cobra.Command {
	return &cobra.Command{
		Use: "revoke SORT VALUE...", Short: "Take an archive, a key or a request back", Args: cobra.MinimumNArgs(2),
		Long: `Publish that nobody may rely on these any more. SORT is artefact (sha256 of an archive), key
(public key of an operator or machine) or request (its id). Machines that run a revoked archive
go on; they refuse to be brought to it.`,
		Example: "  juju trust revoke artefact 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.sort, c.values = args[0], args[1:]
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error { return c.run(cmd.Context(), p) })
		},
	}
}

func (c *revoke) run(ctx context.Context, p *signing.Site) error {
	revoked := p.Trusted.Revoked()
	list := map[string]*[]string{"artefact": &revoked.Artefacts, "key": &revoked.Keys, "request": &revoked.Requests}[c.sort]
	if list == nil {
		return app.Usage("%q is not artefact, key or request", c.sort)
	}
	*list = append(slices.Clone(*list), c.values...)
	slices.Sort(*list)
	*list = slices.Compact(*list)
	if err := revoked.Validate(); err != nil {
		return app.Usage("%v", err)
	}
	return p.Change(ctx, func(repo *tuf.Repository) error {
		return repo.SetJSON(signing.TargetsExpire(), tuf.FileRevoked, revoked)
	})
}

// floor is `juju trust floor`.
type floor struct {
	app    *app.App
	oldest version.Number
}

func (c *floor) command() *cobra.Command {
	return &cobra.Command{
		Use: "floor VERSION", Short: "Let no machine go below a version", Args: cobra.ExactArgs(1),
		Long:    "Publish the oldest version that may be installed, even by a rollback.",
		Example: "  juju trust floor 1.25.2",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if c.oldest, err = version.ParsePerson(args[0]); err != nil {
				return app.Usage("%v", err)
			}
			return signing.WithSite(cmd.Context(), c.app, func(s *session.Session, p *signing.Site) error { return c.run(cmd.Context(), s, p) })
		},
	}
}

func (c *floor) run(ctx context.Context, s interface {
	Environment(context.Context) (wire.EnvironmentInfo, error)
}, p *signing.Site,
) error {
	env, err := s.Environment(ctx)
	if err != nil {
		return app.Fail(err, "Nothing was published.", "")
	}
	if env.AgentVersion.Compare(c.oldest) < 0 {
		c.app.Say("WARNING machines run %s: what they run goes on, and nothing below %s is installed from now on", env.AgentVersion, c.oldest)
	}
	return p.Change(ctx, func(repo *tuf.Repository) error {
		return repo.SetJSON(signing.TargetsExpire(), tuf.FileFloor, tuf.Floor{Version: c.oldest})
	})
}

// quorum is `juju trust quorum`.
type quorum struct {
	app       *app.App
	operators int
	labels    map[string]string // of the machines; empty: every machine
}

func (c *quorum) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "quorum N", Short: "Say how many operators must agree", Args: cobra.ExactArgs(1),
		Long: `Publish how many operators must agree to what lets machines with these labels run something, who
asks included: upgrades, units, resolved. Without --labels it is for every machine. Settings that
change what is believed (` + "`juju help set-env`" + ` names them) are every machine's: for them the
largest quorum of all holds. A request waits until enough agree: juju approve. 1 takes that back.`,
		Example: "  juju trust quorum 2 --labels env=prod\n  juju trust quorum 2 --labels " + events.ControlPlane + "=true",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if c.operators, err = strconv.Atoi(args[0]); err != nil || c.operators < 1 {
				return app.Usage("%q is not a number from 1", args[0])
			}
			if c.operators > events.MaxApprovals+1 {
				return app.Usage("%d operators are more than can agree to one request; at most %d", c.operators, events.MaxApprovals+1)
			}
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error {
				return changeRoster(cmd.Context(), p, c.apply)
			})
		},
	}
	cmd.Flags().StringToStringVar(&c.labels, "labels", nil, "NAME=VALUE of the machines, with commas between (default: every machine)")
	return cmd
}

func (c *quorum) apply(r *events.Roster) error {
	r.Quorums = slices.DeleteFunc(r.Quorums, func(q events.Quorum) bool { return maps.Equal(q.Labels, c.labels) })
	if c.operators > 1 {
		r.Quorums = append(r.Quorums, events.Quorum{Labels: c.labels, Operators: c.operators})
	}
	if able := mayAgree(*r, c.labels); able < c.operators {
		c.app.Say("WARNING only %d of the operators may agree there: until there are %d, nothing new runs on those machines (juju user add NAME KEY approve)",
			able, c.operators)
	}
	return nil
}

// mayAgree counts the operators who may ask for an upgrade of machines with these labels, or agree
// to it.
func mayAgree(r events.Roster, labels map[string]string) (n int) {
	for _, o := range r.Operators {
		if o.May(events.RoleOperate, labels) || o.May(events.RoleApprove, labels) {
			n++
		}
	}
	return n
}
