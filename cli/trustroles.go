package cli

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// role is the part of the roles that people's keys sign.
func role(r *tuf.Roles, name string) (*tuf.Keys, error) {
	switch name {
	case tuf.Root:
		return &r.Root, nil
	case tuf.Targets:
		return &r.Targets, nil
	}
	return nil, app.Usage("role %q is not root or targets; snapshot and timestamp are the state server's", name)
}

// changeRole makes the next root with other keys of one role.
func (p *site) changeRole(ctx context.Context, name string, f func(*tuf.Keys) error) error {
	return p.change(ctx, func(repo *tuf.Repository) error {
		roles := repo.Roles()
		keys, err := role(&roles, name)
		if err == nil {
			err = f(keys)
		}
		if err != nil {
			return err
		}
		if name == tuf.Targets { // they must be signed by the new keys
			if err := repo.RemoveTargets(time.Now().Add(tuf.TargetsLife)); err != nil {
				return err
			}
		}
		return repo.SetRoles(roles, time.Now().Add(tuf.RootLife))
	})
}

func (a *juju) trustAddKeyCommand() *cobra.Command {
	var threshold int
	cmd := &cobra.Command{
		Use: "add-key ROLE KEY...", Short: "Let more keys sign the root or the targets", Args: cobra.MinimumNArgs(2),
		Long: `Let the holders of these public keys, which juju trust init prints, sign for ROLE: root or
targets. --threshold says how many must sign from then on. The next root must be signed by
enough keys of the root before and of its own.`,
		Example: "  juju trust add-key root 5f2a… 77b0… --threshold 2",
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := publicKeys(args[1:])
			if err != nil {
				return err
			}
			return a.withSite(cmd.Context(), func(p *site) error {
				return p.changeRole(cmd.Context(), args[0], func(k *tuf.Keys) error {
					k.Public = append(k.Public, keys...)
					if threshold > 0 {
						k.Threshold = threshold
					}
					return nil
				})
			})
		},
	}
	cmd.Flags().IntVar(&threshold, "threshold", 0, "how many of the keys must sign (default: as many as now)")
	return cmd
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

func (a *juju) trustRemoveKeyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "remove-key ROLE KEY...", Short: "Let keys sign no more", Args: cobra.MinimumNArgs(2),
		Long:    "Take public keys away from ROLE, root or targets. As many must sign as before, or all that are\nleft if those are fewer.",
		Example: "  juju trust remove-key targets 5f2a…",
		RunE: func(cmd *cobra.Command, args []string) error {
			gone, err := publicKeys(args[1:])
			if err != nil {
				return err
			}
			return a.withSite(cmd.Context(), func(p *site) error {
				return p.changeRole(cmd.Context(), args[0], func(k *tuf.Keys) error {
					had := len(k.Public)
					k.Public = slices.DeleteFunc(k.Public, func(o ed25519.PublicKey) bool {
						return slices.ContainsFunc(gone, func(g ed25519.PublicKey) bool { return g.Equal(o) })
					})
					if had-len(k.Public) != len(gone) {
						return errors.New("not all of these are keys of the role; juju trust status lists them")
					}
					k.Threshold = min(k.Threshold, len(k.Public))
					return nil
				})
			})
		},
	}
}

func (a *juju) trustRotateCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rotate ROLE", Short: "Replace this client's key of a role by a new one", Args: cobra.ExactArgs(1),
		Long:    "Make a new key for ROLE, root or targets, in place of this client's old one. The old one signs\nthe root that takes it away, and nothing after that; its file stays until you remove it.",
		Example: "  juju trust rotate targets",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withSite(cmd.Context(), func(p *site) error { return p.rotate(cmd.Context(), args[0]) })
		},
	}
}

func (p *site) rotate(ctx context.Context, name string) error {
	own, err := p.keys().of(name)
	if err != nil {
		return err
	}
	return p.changeRole(ctx, name, func(k *tuf.Keys) error {
		for i, public := range k.Public {
			if !slices.ContainsFunc(own, func(o trustKey) bool { return o.Public() == hex.EncodeToString(public) }) {
				continue
			}
			next, err := p.keys().make(name)
			if err != nil {
				return err
			}
			k.Public[i] = next.Private.Public().(ed25519.PublicKey)
			p.session.app.Say("%s key %x is replaced by %s", name, public, next.Public())
			return nil
		}
		return fmt.Errorf("this client holds no key of the role %s", name)
	})
}
