package trust

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
)

// logKey is `juju trust log-key`.
type logKey struct {
	app  *app.App
	keys []string // none: those that this client pinned at bootstrap
}

func (c *logKey) command() *cobra.Command {
	return &cobra.Command{
		Use: "log-key [KEY...]", Short: "Publish whose key signs the environment's log", Args: cobra.ArbitraryArgs,
		Long: `Let the signed metadata name the public keys that sign checkpoints of the log. By them each
operator's client, and each machine, knows the log again that it has seen. Bootstrap names the
key of its state server; this is for an environment whose metadata names none, and for a state
server with another key. Without KEY it is the key that this client pinned at bootstrap.`,
		Example: "  juju trust log-key",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.keys = args
			return signing.WithSite(cmd.Context(), c.app, func(s *session.Session, p *signing.Site) error { return c.run(cmd.Context(), s.Env, p) })
		},
	}
}

func (c *logKey) run(ctx context.Context, env app.Environment, p *signing.Site) error {
	if len(c.keys) == 0 {
		file := c.app.Store().LogKeysFile(env.Name)
		pinned, err := host.ReadPinned(file)
		if errors.Is(err, fs.ErrNotExist) {
			return app.Fail(errors.New("this client has pinned no key of the log"), "Nothing was changed.",
				"the client that bootstrapped the environment has it, and publishes it")
		}
		if err != nil {
			return app.Fail(err, "Nothing was changed.", "")
		}
		c.keys = strings.Fields(string(pinned))
	}
	if _, err := tree.NewVerifiers(env.UUID, c.keys); err != nil {
		return app.Usage("%v", err)
	}
	known := p.Trusted.Roster().Logs
	fresh := slices.DeleteFunc(slices.Clone(c.keys), func(k string) bool { return slices.Contains(known, k) })
	if len(fresh) == 0 {
		c.app.Say("The signed metadata names it already; nothing was changed")
		return nil
	}
	return changeRoster(ctx, p, func(r *events.Roster) error {
		r.Logs = append(slices.Clone(r.Logs), fresh...)
		return nil
	})
}
