package trust

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

// sign is `juju trust sign`.
type sign struct {
	app  *app.App
	file string // a colleague's draft; empty: this client's own draft
}

func (c *sign) command() *cobra.Command {
	return &cobra.Command{
		Use: "sign [FILE]", Short: "Sign a draft, or sign what is published anew", Args: cobra.MaximumNArgs(1),
		Long: `Sign the draft in FILE, which a colleague has exported, or this client's own. When enough have
signed it is published; else export it again for the next one. Without a draft the targets are
signed anew, so that they hold longer. What the draft changes in what is published is shown in
full, and asked about: operators with their roles, keys, thresholds, archives, the floor, what is
revoked, publishers, and when it expires. A draft that holds anything else is not signed. Compare
the digests that are shown last with your colleagues': they do not depend on who has signed.`,
		Example: "  juju trust sign\n  juju trust sign draft.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.file = args[0]
			}
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error { return c.run(cmd.Context(), p) })
		},
	}
}

func (c *sign) run(ctx context.Context, p *signing.Site) error {
	if c.file != "" {
		return c.signFile(ctx, p)
	}
	repo, err := p.Draft()
	if err != nil {
		return err
	}
	unchanged := !p.Follows(repo) // there is no draft: what is published is signed anew
	if unchanged {
		if err := repo.RemoveTargets(signing.TargetsExpire()); err != nil {
			return err
		}
	}
	return p.Finish(ctx, repo, unchanged)
}

// signFile signs a colleague's draft, after a person has agreed to what it changes. A draft that does
// not follow on what is published is refused.
func (c *sign) signFile(ctx context.Context, p *signing.Site) error {
	b, err := signing.ReadBundle(c.file)
	if err != nil {
		return app.Fail(err, "Nothing was signed.", "")
	}
	repo, err := tuf.OpenRepository(b)
	if err != nil {
		return app.Fail(fmt.Errorf("%s: %w", c.file, err), "Nothing was signed.", "")
	}
	if !p.Follows(repo) {
		return app.Fail(events.Refuse(events.CodeTUFRollback, "%s is older than what is published, or is that itself", c.file), "Nothing was signed.",
			"begin again from what is published: repeat the change")
	}
	return p.Finish(ctx, repo, false)
}

// export is `juju trust export`.
type export struct {
	app  *app.App
	file string
}

func (c *export) command() *cobra.Command {
	return &cobra.Command{
		Use: "export FILE", Short: "Write the draft, or what is published, into a file", Args: cobra.ExactArgs(1),
		Long:    "Write the draft, for a colleague to sign; without one, what is published. The file holds no\nsecret.",
		Example: "  juju trust export draft.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.file = args[0]
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error { return c.run(p) })
		},
	}
}

func (c *export) run(p *signing.Site) error {
	b, err := signing.ReadBundle(p.DraftFile())
	if err == nil && len(b.Roots) == 0 {
		b = p.Published
	}
	if err != nil {
		return err
	}
	return host.WriteFile(c.file, b.Marshal())
}
