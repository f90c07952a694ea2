package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/host"
)

func (a *juju) trustSignCommand() *cobra.Command {
	return &cobra.Command{
		Use: "sign [FILE]", Short: "Sign a draft, or sign what is published anew", Args: cobra.MaximumNArgs(1),
		Long: `Sign the draft in FILE, which a colleague has exported, or this client's own. When enough have
signed it is published; else export it again for the next one. Without a draft the targets are
signed anew, so that they hold longer. Look at what you sign: juju trust status shows a draft
of yours, and the changes of FILE are shown before they are signed.`,
		Example: "  juju trust sign\n  juju trust sign draft.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withSite(cmd.Context(), func(p *site) error {
				if len(args) == 1 {
					return p.signFile(cmd.Context(), args[0])
				}
				repo, err := p.draft()
				if err != nil {
					return err
				}
				if !p.follows(repo) {
					if err := repo.RemoveTargets(time.Now().Add(tuf.TargetsLife)); err != nil {
						return err
					}
				}
				return p.finish(cmd.Context(), repo)
			})
		},
	}
}

// signFile shows what a colleague's draft changes, signs and publishes it.
func (p *site) signFile(ctx context.Context, name string) error {
	b, err := readBundle(name)
	if err != nil {
		return app.Fail(err, "Nothing was signed.", "")
	}
	repo, err := tuf.OpenRepository(b)
	if err != nil {
		return app.Fail(fmt.Errorf("%s: %w", name, err), "Nothing was signed.", "")
	}
	if !p.follows(repo) {
		return app.Fail(events.Refuse(tuf.CodeRollback, "%s is older than what is published, or is that itself", name), "Nothing was signed.",
			"begin again from what is published: repeat the change")
	}
	if err := p.explain(repo); err != nil {
		return err
	}
	return p.finish(ctx, repo)
}

// explain says what would be other than it is.
func (p *site) explain(repo *tuf.Repository) error {
	have, err := tuf.OpenRepository(p.published)
	if err != nil {
		return err
	}
	old, next := have.Targets(), repo.Targets()
	for _, name := range sortedNames(next) {
		if old[name].SHA256 != next[name].SHA256 {
			p.session.app.Say("  %s: %d bytes, sha256 %s", name, next[name].Length, next[name].SHA256)
		}
	}
	for _, name := range sortedNames(old) {
		if _, ok := next[name]; !ok {
			p.session.app.Say("  %s: taken away", name)
		}
	}
	roles := repo.Roles()
	p.session.app.Say("  root: %d of %d keys; targets: %d of %d keys", roles.Root.Threshold, len(roles.Root.Public), roles.Targets.Threshold, len(roles.Targets.Public))
	return nil
}

func sortedNames(targets map[string]tuf.Target) []string {
	names := make([]string, 0, len(targets))
	for name := range targets {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (a *juju) trustExportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export FILE", Short: "Write the draft, or what is published, into a file", Args: cobra.ExactArgs(1),
		Long:    "Write the draft, for a colleague to sign; without one, what is published. The file holds no\nsecret.",
		Example: "  juju trust export draft.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withSite(cmd.Context(), func(p *site) error {
				b, err := readBundle(p.draftFile())
				if err == nil && len(b.Roots) == 0 {
					b = p.published
				}
				if err != nil {
					return err
				}
				return host.WriteFile(args[0], b.Marshal())
			})
		},
	}
}
