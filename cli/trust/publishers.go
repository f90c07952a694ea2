package trust

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// publishers is `juju trust publishers`.
type publishers struct {
	app      *app.App
	add      []string // anchors
	remove   []string // likewise
	sources  []string
	unsigned []string
	stream   string
}

func (c *publishers) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "publishers", Short: "Show or change whose trees of tools are taken in, and from where", Args: cobra.NoArgs,
		Long: `Publish whose trees of tools juju sync-tools and the state server take in, and in which
directories or URLs they look. A publisher is named by the digest of his first root, which
juju metadata key prints on his client: hear it from him by another way than the tree.
Bootstrap begins with the client that bootstraps, and its --tools-source. Without a flag,
show what is published.

Nobody who has the state server can change this: sync-tools refuses what settings say beyond
it. The setting agent-metadata-url alone says where the state server looks first; what it
finds there must be signed by these publishers, too.`,
		Example: `  juju trust publishers
  juju trust publishers --add-signer 5f2ab0c1d4e58f6a77b0c1d4e58f6a9f86d081884c7d659a2feaa0c55ad015a3
  juju trust publishers --source https://mirror.example.com/tools
  juju trust publishers --source none`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := app.GivenFlags(cmd, "stream"); err != nil {
				return err
			}
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error { return c.run(cmd.Context(), p) })
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&c.add, "add-signer", nil, "ANCHOR of a publisher to believe, too")
	f.StringArrayVar(&c.remove, "remove-signer", nil, "ANCHOR of a publisher to believe no more")
	f.StringArrayVar(&c.sources, "source", nil, "directory or URL to look in, in place of those before; several in this order; none: nowhere")
	f.StringArrayVar(&c.unsigned, "unsigned", nil, "source that may be unsigned, in place of those before; none: no source")
	f.StringVar(&c.stream, "stream", "", "stream to read: released, proposed, devel or testing")
	return cmd
}

func (c *publishers) run(ctx context.Context, p *signing.Site) error {
	now, err := p.Publishers()
	if err != nil {
		return err
	}
	if len(c.add)+len(c.remove)+len(c.sources)+len(c.unsigned) == 0 && c.stream == "" {
		writePublishers(c.app.Stdout, now)
		return nil
	}
	if err := c.check(); err != nil {
		return err
	}
	if now, err = c.apply(now); err != nil {
		return err
	}
	if err := now.Validate(); err != nil {
		return app.Usage("%v", err)
	}
	return p.Change(ctx, func(repo *tuf.Repository) error {
		return repo.SetJSON(signing.TargetsExpire(), tuf.FilePublishers, now)
	})
}

// check holds each value against what the setting of that kind may be.
func (c *publishers) check() error {
	for _, f := range []struct {
		key    string
		values []string
	}{
		{"tools-signers", slices.Concat(c.add, c.remove)},
		{"tools-source", slices.Concat(c.sources, c.unsigned)},
	} {
		setting, _ := settings.Of(f.key)
		for _, v := range f.values {
			if err := setting.Check(v); err != nil {
				return app.Usage("%v", err)
			}
		}
	}
	if stream, _ := settings.Of("agent-stream"); c.stream != "" && stream.Check(c.stream) != nil {
		return app.Usage("--stream: %v", stream.Check(c.stream))
	}
	return nil
}

func (c *publishers) apply(p events.Publishers) (events.Publishers, error) {
	p.Signers = slices.Clone(p.Signers)
	for _, anchor := range c.add {
		if !slices.Contains(p.Signers, anchor) {
			p.Signers = append(p.Signers, anchor)
		}
	}
	for _, anchor := range c.remove {
		i := slices.Index(p.Signers, anchor)
		if i < 0 {
			return p, app.Fail(fmt.Errorf("%s is no publisher of this environment", anchor), "Nothing was changed.", "juju trust publishers lists them")
		}
		p.Signers = slices.Delete(p.Signers, i, i+1)
	}
	replace := func(list *[]string, with []string) {
		if len(with) > 0 {
			*list = slices.DeleteFunc(slices.Clone(with), func(s string) bool { return s == settings.NoSource })
		}
	}
	replace(&p.Sources, c.sources)
	replace(&p.Unsigned, c.unsigned)
	if c.stream != "" {
		p.Stream = c.stream
	}
	return p, nil
}

// writePublishers shows whose trees are taken in.
func writePublishers(out io.Writer, p events.Publishers) {
	for _, s := range p.Signers {
		fmt.Fprintf(out, "publisher  %s\n", s)
	}
	for _, l := range []struct {
		what string
		list []string
	}{{"sources", p.Sources}, {"unsigned", p.Unsigned}} {
		if len(l.list) > 0 {
			fmt.Fprintf(out, "%-10s %s\n", l.what, strings.Join(l.list, ", "))
		}
	}
	if p.Stream != "" {
		fmt.Fprintf(out, "stream     %s\n", p.Stream)
	}
}
