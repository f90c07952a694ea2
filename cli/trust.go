package cli

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

func (a *juju) trustCommand() *cobra.Command {
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

func (a *juju) trustInitCommand() *cobra.Command {
	var anchor string
	cmd := &cobra.Command{
		Use: "init", Short: "Make this client's keys for the environment's metadata", Args: cobra.NoArgs,
		Long: `Make a key for the root and one for the targets, unless this client has them, and print
their public halves: somebody who may sign the root adds them with juju trust add-key. --anchor
pins the environment's first root by its digest, which a colleague reads out to you from his
juju trust status; the client that bootstrapped the environment has it.`,
		Example: "  juju trust init --anchor 5f2a…",
		RunE: func(*cobra.Command, []string) error {
			env, err := a.Chosen()
			if err != nil {
				return err
			}
			return a.trustInit(a.siteRepository(env.Name), anchor)
		},
	}
	cmd.Flags().StringVar(&anchor, "anchor", "", "SHA256 of the environment's first root")
	return cmd
}

func (a *juju) trustInit(r repository, anchor string) error {
	if anchor != "" {
		if !tools.IsDigest(anchor) {
			return app.Usage("--anchor %q is not 64 lower-case hex digits", anchor)
		}
		if old, err := r.anchor(); err == nil && old.SHA256 != anchor {
			return app.Fail(fmt.Errorf("another root is pinned already: %s", old.SHA256), "Nothing was changed.", "if the environment was made anew, remove "+string(r))
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

func (a *juju) trustStatusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show who signs, what is published and until when it holds", Args: cobra.NoArgs,
		Long:    "Show the pinned root, keys and thresholds of each role, what is published and until when it\nholds, and the draft that waits for signatures. A * marks keys of this client.",
		Example: "  juju trust status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withSite(cmd.Context(), func(p *site) error { return p.status() })
		},
	}
}

func (a *juju) withSite(ctx context.Context, f func(*site) error) error {
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
