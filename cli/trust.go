package cli

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/statesrv"
)

func (a *App) trustCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "trust", Short: "Say who signs what runs in the environment",
		Long: `Machines run only what this environment's release managers have signed. What they sign is
metadata of TUF, The Update Framework: the root says whose keys count, the targets name every
archive, the operators, the floor and what is revoked. The state server only says how fresh
that is; it cannot add anything.

Bootstrap makes one key for the root and one for the targets, which this client keeps in
JUJU_DATA/trust/NAME/keys. That is enough for one person. To let two of three sign:

  juju trust init --anchor SHA256                each colleague, once; prints his public keys
  juju trust add-key root KEY KEY --threshold 2
  juju trust add-key targets KEY KEY --threshold 2

From then on a change is kept as a draft until enough have signed: juju trust export FILE,
and a colleague runs juju trust sign FILE. Nothing is ever fetched to sign: files travel as
well over an air gap.`,
		Example: "  juju trust status\n  juju trust rotate targets\n  juju trust revoke artefact SHA256",
	}
	cmd.AddCommand(a.trustInitCommand(), a.trustStatusCommand(), a.trustAddKeyCommand(), a.trustRemoveKeyCommand(), a.trustRotateCommand(),
		a.trustSignCommand(), a.trustExportCommand(), a.trustRevokeCommand(), a.trustFloorCommand(), a.trustQuorumCommand())
	return cmd
}

func (a *App) trustInitCommand() *cobra.Command {
	var anchor string
	cmd := &cobra.Command{
		Use: "init", Short: "Make this client's keys for the environment's metadata", Args: cobra.NoArgs,
		Long: `Make a key for the root and one for the targets, unless this client has them, and print
their public halves: somebody who may sign the root adds them with juju trust add-key. --anchor
pins the environment's first root by its digest, which a colleague reads out to you from his
juju trust status; the client that bootstrapped the environment has it.`,
		Example: "  juju trust init --anchor 5f2a…",
		RunE: func(*cobra.Command, []string) error {
			env, err := a.chosen()
			if err != nil {
				return err
			}
			return a.trustInit(a.siteRepository(env.Name), anchor)
		},
	}
	cmd.Flags().StringVar(&anchor, "anchor", "", "SHA256 of the environment's first root")
	return cmd
}

func (a *App) trustInit(r repository, anchor string) error {
	if anchor != "" {
		if !tools.IsDigest(anchor) {
			return usage("--anchor %q is not 64 lower-case hex digits", anchor)
		}
		if old, err := r.anchor(); err == nil && old.SHA256 != anchor {
			return fail(fmt.Errorf("another root is pinned already: %s", old.SHA256), "Nothing was changed.", "if the environment was made anew, remove "+string(r))
		}
		if err := r.pin(tuf.Anchor{SHA256: anchor}); err != nil {
			return err
		}
	}
	for _, role := range []string{tuf.Root, tuf.Targets} {
		keys, err := r.keys().of(role)
		if err == nil && len(keys) == 0 {
			var k trustKey
			k, err = r.keys().make(role)
			keys = append(keys, k)
		}
		if err != nil {
			return err
		}
		for _, k := range keys {
			fmt.Fprintf(a.Stdout, "%s %s\n", role, k.Public())
		}
	}
	return nil
}

func (a *App) trustStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show who signs, what is published and until when it holds", Args: cobra.NoArgs,
		Long:    "Show the pinned root, keys and thresholds of each role, what is published and until when it\nholds, and the draft that waits for signatures. A * marks keys of this client.",
		Example: "  juju trust status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withSite(cmd.Context(), func(p *site) error { return p.status() })
		},
	}
}

func (a *App) withSite(ctx context.Context, f func(*site) error) error {
	return a.with(ctx, func(s *session) error {
		p, err := s.site(ctx)
		if err != nil {
			return err
		}
		return f(p)
	})
}

func (p *site) status() error {
	a := p.session.app
	repo, err := tuf.OpenRepository(p.published)
	if err != nil {
		return err
	}
	own, err := p.keys().all()
	if err != nil {
		return err
	}
	v := p.trusted.Versions()
	fresh, _ := p.trusted.Expires()
	fmt.Fprintf(a.Stdout, "anchor     %s\npublished  root %d, targets %d, snapshot %d, timestamp %d\nfresh      until %s\nholds      until %s\n",
		p.trusted.Anchor().SHA256, v.Root, v.Targets, v.Snapshot, v.Timestamp, fresh.Format(time.RFC3339), p.trusted.Holds().Format(time.RFC3339))
	roles := repo.Roles()
	for _, r := range []struct {
		name string
		keys tuf.Keys
	}{{tuf.Root, roles.Root}, {tuf.Targets, roles.Targets}, {tuf.Snapshot, roles.Snapshot}, {tuf.Timestamp, roles.Timestamp}} {
		fmt.Fprintf(a.Stdout, "%-10s %d of %d\n", r.name, r.keys.Threshold, len(r.keys.Public))
		for _, k := range r.keys.Public {
			mark := ""
			if slices.ContainsFunc(own, func(o trustKey) bool { return o.Public() == hex.EncodeToString(k) }) {
				mark = " *"
			}
			fmt.Fprintf(a.Stdout, "           %x%s\n", k, mark)
		}
	}
	if floor := p.trusted.Floor(); !floor.IsZero() {
		fmt.Fprintf(a.Stdout, "floor      %s\n", floor)
	}
	revoked := p.trusted.Revoked()
	for what, list := range map[string][]string{"keys": revoked.Keys, "artefacts": revoked.Artefacts, "requests": revoked.Requests} {
		if len(list) > 0 {
			fmt.Fprintf(a.Stdout, "revoked    %s %s\n", what, strings.Join(list, ", "))
		}
	}
	return p.statusOfDraft()
}

func (p *site) statusOfDraft() error {
	b, err := readBundle(p.draftFile())
	if err != nil || len(b.Roots) == 0 {
		return err
	}
	repo, err := tuf.OpenRepository(b)
	if err != nil {
		return err
	}
	for _, role := range []string{tuf.Root, tuf.Targets} {
		st, err := repo.Standing(role)
		if err == nil && !st.Complete() {
			fmt.Fprintf(p.session.app.Stdout, "draft      %s %d has %d of %d signatures\n", role, st.Version, st.Have, st.Need)
		}
	}
	return nil
}

// role is the part of the roles that people's keys sign.
func role(r *tuf.Roles, name string) (*tuf.Keys, error) {
	switch name {
	case tuf.Root:
		return &r.Root, nil
	case tuf.Targets:
		return &r.Targets, nil
	}
	return nil, usage("role %q is not root or targets; snapshot and timestamp are the state server's", name)
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
			if err := repo.RemoveTargets(time.Now().Add(statesrv.SiteTargetsLife)); err != nil {
				return err
			}
		}
		return repo.SetRoles(roles, time.Now().Add(statesrv.SiteRootLife))
	})
}

func (a *App) trustAddKeyCommand() *cobra.Command {
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
			return nil, usage("%q is no public key of 64 hex digits; juju trust init prints them", text)
		}
		keys = append(keys, b)
	}
	return keys, nil
}

func (a *App) trustRemoveKeyCommand() *cobra.Command {
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

func (a *App) trustRotateCommand() *cobra.Command {
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
			p.session.app.say("%s key %x is replaced by %s", name, public, next.Public())
			return nil
		}
		return fmt.Errorf("this client holds no key of the role %s", name)
	})
}

func (a *App) trustSignCommand() *cobra.Command {
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
					if err := repo.RemoveTargets(time.Now().Add(statesrv.SiteTargetsLife)); err != nil {
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
		return fail(err, "Nothing was signed.", "")
	}
	repo, err := tuf.OpenRepository(b)
	if err != nil {
		return fail(fmt.Errorf("%s: %w", name, err), "Nothing was signed.", "")
	}
	if !p.follows(repo) {
		return fail(&tuf.Refusal{Code: tuf.CodeRollback, Text: name + " is older than what is published, or is that itself"}, "Nothing was signed.",
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
			p.session.app.say("  %s: %d bytes, sha256 %s", name, next[name].Length, next[name].SHA256)
		}
	}
	for _, name := range sortedNames(old) {
		if _, ok := next[name]; !ok {
			p.session.app.say("  %s: taken away", name)
		}
	}
	roles := repo.Roles()
	p.session.app.say("  root: %d of %d keys; targets: %d of %d keys", roles.Root.Threshold, len(roles.Root.Public), roles.Targets.Threshold, len(roles.Targets.Public))
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

func (a *App) trustExportCommand() *cobra.Command {
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
				return install.WriteFile(args[0], b.Marshal())
			})
		},
	}
}

func (a *App) trustRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use: "revoke SORT VALUE...", Short: "Take an archive, a key or a request back", Args: cobra.MinimumNArgs(2),
		Long:    "Publish that nobody may rely on these any more. SORT is artefact (sha256 of an archive), key\n(public key of an operator or machine) or request (its id). Machines that run a revoked archive\ngo on; they refuse to be brought to it.",
		Example: "  juju trust revoke artefact 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withSite(cmd.Context(), func(p *site) error {
				revoked := p.trusted.Revoked()
				list := map[string]*[]string{"artefact": &revoked.Artefacts, "key": &revoked.Keys, "request": &revoked.Requests}[args[0]]
				if list == nil {
					return usage("%q is not artefact, key or request", args[0])
				}
				*list = append(slices.Clone(*list), args[1:]...)
				slices.Sort(*list)
				*list = slices.Compact(*list)
				if err := revoked.Validate(); err != nil {
					return usage("%v", err)
				}
				return p.change(cmd.Context(), func(repo *tuf.Repository) error {
					return repo.SetJSON(time.Now().Add(statesrv.SiteTargetsLife), tuf.FileRevoked, revoked)
				})
			})
		},
	}
}

func (a *App) trustFloorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "floor VERSION", Short: "Let no machine go below a version", Args: cobra.ExactArgs(1),
		Long:    "Publish the oldest version that may be installed, even by a rollback.",
		Example: "  juju trust floor 1.25.2",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := version.ParsePerson(args[0])
			if err != nil {
				return usage("%v", err)
			}
			return a.withSite(cmd.Context(), func(p *site) error {
				return p.change(cmd.Context(), func(repo *tuf.Repository) error {
					return repo.SetJSON(time.Now().Add(statesrv.SiteTargetsLife), tuf.FileFloor, tuf.Floor{Version: n})
				})
			})
		},
	}
}

func (a *App) trustQuorumCommand() *cobra.Command {
	var labels map[string]string
	cmd := &cobra.Command{
		Use: "quorum N", Short: "Say how many operators must agree", Args: cobra.ExactArgs(1),
		Long:    "Publish how many operators must agree to what concerns machines with these labels, who asks\nincluded; without --labels, to anything. 1 takes that back.",
		Example: "  juju trust quorum 2 --labels env=prod",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[0])
			if err != nil || n < 1 {
				return usage("%q is not a number from 1", args[0])
			}
			return a.withSite(cmd.Context(), func(p *site) error {
				return p.changeRoster(cmd.Context(), func(r *events.Roster) error {
					r.Quorums = slices.DeleteFunc(r.Quorums, func(q events.Quorum) bool { return maps.Equal(q.Labels, labels) })
					if n > 1 {
						r.Quorums = append(r.Quorums, events.Quorum{Labels: labels, Operators: n})
					}
					return nil
				})
			})
		},
	}
	cmd.Flags().StringToStringVar(&labels, "labels", nil, "NAME=VALUE of the machines, with commas between (default: every machine)")
	return cmd
}

// changeRoster publishes other operators, quorums or state servers.
func (p *site) changeRoster(ctx context.Context, f func(*events.Roster) error) error {
	roster := p.trusted.Roster()
	roster.Operators, roster.Quorums = slices.Clone(roster.Operators), slices.Clone(roster.Quorums)
	if err := f(&roster); err != nil {
		return err
	}
	if err := roster.Validate(); err != nil {
		return usage("%v", err)
	}
	return p.change(ctx, func(repo *tuf.Repository) error {
		return repo.SetJSON(time.Now().Add(statesrv.SiteTargetsLife), tuf.FileOperators, roster)
	})
}
