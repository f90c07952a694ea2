package trust

import (
	"context"
	"fmt"
	"maps"
	"slices"

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
signed anew, so that they hold longer. Look at what you sign: juju trust status shows a draft
of yours, and the changes of FILE are shown before they are signed.`,
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
	if !p.Follows(repo) { // there is no draft: what is published is signed anew, unchanged
		if err := repo.RemoveTargets(signing.TargetsExpire()); err != nil {
			return err
		}
	}
	return p.Finish(ctx, repo)
}

// signFile shows what a colleague's draft changes, and only then signs it. A draft that does not
// follow on what is published is refused.
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
	if err := c.explain(p, repo); err != nil {
		return err
	}
	return p.Finish(ctx, repo)
}

// explain says what the draft changes in what is published.
func (c *sign) explain(p *signing.Site, repo *tuf.Repository) error {
	have, err := tuf.OpenRepository(p.Published)
	if err != nil {
		return err
	}
	old, next := have.Targets(), repo.Targets()
	for _, name := range slices.Sorted(maps.Keys(next)) {
		if old[name].SHA256 != next[name].SHA256 {
			c.app.Say("  %s: %d bytes, sha256 %s", name, next[name].Length, next[name].SHA256)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(old)) {
		if _, ok := next[name]; !ok {
			c.app.Say("  %s: taken away", name)
		}
	}
	roles := repo.Roles()
	c.app.Say("  root: %d of %d keys; targets: %d of %d keys", roles.Root.Threshold, len(roles.Root.Public), roles.Targets.Threshold, len(roles.Targets.Public))
	return nil
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
