package trust

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// initKeys is `juju trust init`.
type initKeys struct {
	app    *app.App
	anchor string
}

func (c *initKeys) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "init", Short: "Make this client's keys for the environment's metadata", Args: cobra.NoArgs,
		Long: `Make a key for the root and one for the targets, unless this client has them, and print
their public halves: somebody who may sign the root adds them with juju trust add-key. --anchor
pins the environment's first root by its digest, which a colleague reads out to you from his
juju trust status; the client that bootstrapped the environment has it.`,
		Example: "  juju trust init --anchor 5f2a…",
		RunE: func(*cobra.Command, []string) error {
			env, err := c.app.Chosen()
			if err != nil {
				return err
			}
			return c.run(signing.SiteRepository(c.app.Store(), env.Name))
		},
	}
	cmd.Flags().StringVar(&c.anchor, "anchor", "", "SHA256 of the environment's first root")
	return cmd
}

func (c *initKeys) run(r signing.Repository) error {
	if err := c.pin(r); err != nil {
		return err
	}
	for _, role := range []string{tuf.Root, tuf.Targets} {
		keys, err := r.Keys().Of(role)
		if err == nil && len(keys) == 0 {
			var k signing.Key
			k, err = r.Keys().Make(role)
			keys = append(keys, k)
		}
		if err != nil {
			return err
		}
		for _, k := range keys {
			fmt.Fprintf(c.app.Stdout, "%s %s\n", role, k.Public())
		}
	}
	return nil
}

// pin notes --anchor. It never replaces an anchor that is pinned already: everything that this
// client believes of the environment follows from that one.
func (c *initKeys) pin(r signing.Repository) error {
	if c.anchor == "" {
		return nil
	}
	if !tools.IsDigest(c.anchor) {
		return app.Usage("--anchor %q is not 64 lower-case hex digits", c.anchor)
	}
	if old, err := r.Anchor(); err == nil && old.SHA256 != c.anchor {
		return app.Fail(fmt.Errorf("another root is pinned already: %s", old.SHA256), "Nothing was changed.", "if the environment was made anew, remove "+string(r))
	}
	return r.Pin(tuf.Anchor{SHA256: c.anchor})
}
