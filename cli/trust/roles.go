package trust

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// changeRole publishes the next root, with the keys of one role as f changes them. Where the keys
// of the targets change, the targets are signed anew together with the root, because the new keys
// have signed nothing yet.
func changeRole(ctx context.Context, p *signing.Site, name string, f func(*tuf.Keys) error) error {
	return p.Change(ctx, func(repo *tuf.Repository) error {
		roles := repo.Roles()
		keys, err := keysOf(&roles, name)
		if err == nil {
			err = f(keys)
		}
		if err != nil {
			return err
		}
		if name == tuf.Targets {
			if err := repo.RemoveTargets(signing.TargetsExpire()); err != nil {
				return err
			}
		}
		return repo.SetRoles(roles, signing.RootExpires())
	})
}

// keysOf gives the keys of a role that people sign: root or targets. The state server signs the
// other two.
func keysOf(r *tuf.Roles, name string) (*tuf.Keys, error) {
	switch name {
	case tuf.Root:
		return &r.Root, nil
	case tuf.Targets:
		return &r.Targets, nil
	}
	return nil, app.Usage("role %q is not root or targets; snapshot and timestamp are the state server's", name)
}

func publicKeys(list []string) ([]ed25519.PublicKey, error) {
	keys := make([]ed25519.PublicKey, 0, len(list))
	for _, text := range list {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != ed25519.PublicKeySize {
			return nil, app.Usage("%q is no public key of 64 hex digits; juju trust init prints them", text)
		}
		keys = append(keys, b)
	}
	return keys, nil
}

// addKey is `juju trust add-key`.
type addKey struct {
	app       *app.App
	role      string
	keys      []ed25519.PublicKey
	threshold int // how many keys must sign from now on; 0: as many as before
}

func (c *addKey) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "add-key ROLE KEY...", Short: "Let more keys sign the root or the targets", Args: cobra.MinimumNArgs(2),
		Long: `Let the holders of these public keys, which juju trust init prints, sign for ROLE: root or
targets. --threshold says how many must sign from then on. The next root must be signed by
enough keys of the root before and of its own.`,
		Example: "  juju trust add-key root 5f2a… 77b0… --threshold 2",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c.role = args[0]
			if c.keys, err = publicKeys(args[1:]); err != nil {
				return err
			}
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error {
				return changeRole(cmd.Context(), p, c.role, c.apply)
			})
		},
	}
	cmd.Flags().IntVar(&c.threshold, "threshold", 0, "how many of the keys must sign (default: as many as now)")
	return cmd
}

func (c *addKey) apply(k *tuf.Keys) error {
	k.Public = append(k.Public, c.keys...)
	if c.threshold > 0 {
		k.Threshold = c.threshold
	}
	return nil
}

// removeKey is `juju trust remove-key`.
type removeKey struct {
	app  *app.App
	role string
	keys []ed25519.PublicKey
}

func (c *removeKey) command() *cobra.Command {
	return &cobra.Command{
		Use: "remove-key ROLE KEY...", Short: "Let keys sign no more", Args: cobra.MinimumNArgs(2),
		Long:    "Take public keys away from ROLE, root or targets. As many must sign as before, or all that are\nleft if those are fewer.",
		Example: "  juju trust remove-key targets 5f2a…",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			c.role = args[0]
			if c.keys, err = publicKeys(args[1:]); err != nil {
				return err
			}
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error {
				return changeRole(cmd.Context(), p, c.role, c.apply)
			})
		},
	}
}

func (c *removeKey) apply(k *tuf.Keys) error {
	had := len(k.Public)
	k.Public = slices.DeleteFunc(k.Public, func(o ed25519.PublicKey) bool {
		return slices.ContainsFunc(c.keys, func(gone ed25519.PublicKey) bool { return gone.Equal(o) })
	})
	if had-len(k.Public) != len(c.keys) {
		return errors.New("not all of these are keys of the role; juju trust status lists them")
	}
	k.Threshold = min(k.Threshold, len(k.Public))
	return nil
}

// rotate is `juju trust rotate`.
type rotate struct {
	app  *app.App
	role string
}

func (c *rotate) command() *cobra.Command {
	return &cobra.Command{
		Use: "rotate ROLE", Short: "Replace this client's key of a role by a new one", Args: cobra.ExactArgs(1),
		Long: `Make a new key for ROLE, root or targets, in place of this client's old one. The old one signs
the root that takes it away, and nothing after that; its file stays until you remove it.`,
		Example: "  juju trust rotate targets",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.role = args[0]
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error { return c.run(cmd.Context(), p) })
		},
	}
}

func (c *rotate) run(ctx context.Context, p *signing.Site) error {
	own, err := p.Keys().Of(c.role)
	if err != nil {
		return err
	}
	return changeRole(ctx, p, c.role, func(k *tuf.Keys) error {
		for i, public := range k.Public {
			if !slices.ContainsFunc(own, func(o signing.Key) bool { return o.Public() == hex.EncodeToString(public) }) {
				continue
			}
			next, err := p.Keys().Make(c.role)
			if err != nil {
				return err
			}
			k.Public[i] = next.Private.Public().(ed25519.PublicKey)
			c.app.Say("%s key %x is replaced by %s", c.role, public, next.Public())
			return nil
		}
		return fmt.Errorf("this client holds no key of the role %s", c.role)
	})
}
