package trust

import (
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// status is `juju trust status`.
type status struct{ app *app.App }

func (c *status) command() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show who signs, what is published and until when it holds", Args: cobra.NoArgs,
		Long: `Show the pinned root, keys and thresholds of each role, what is published and until when it
holds, and the draft that waits for signatures. A * marks keys of this client.`,
		Example: "  juju trust status",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return signing.WithSite(cmd.Context(), c.app, func(_ *session.Session, p *signing.Site) error { return c.run(p) })
		},
	}
}

func (c *status) run(p *signing.Site) error {
	repo, err := tuf.OpenRepository(p.Published)
	if err != nil {
		return err
	}
	own, err := p.Keys().All()
	if err != nil {
		return err
	}
	out := c.app.Stdout
	v := p.Trusted.Versions()
	fresh, _ := p.Trusted.Expires()
	fmt.Fprintf(out, "anchor     %s\npublished  root %d, targets %d, snapshot %d, timestamp %d\nfresh      until %s\nholds      until %s\n",
		p.Trusted.Anchor().SHA256, v.Root, v.Targets, v.Snapshot, v.Timestamp, fresh.Format(time.RFC3339), p.Trusted.Holds().Format(time.RFC3339))
	writeRoles(out, repo.Roles(), own)
	writeRules(out, p.Trusted)
	if signed := p.Trusted.Publishers(); signed != nil {
		writePublishers(out, *signed)
	}
	return writeDraft(out, p.DraftFile())
}

// writeRoles lists the keys of each role and marks those that are this client's own.
func writeRoles(out io.Writer, roles tuf.Roles, own []signing.Key) {
	for _, r := range []struct {
		name string
		keys tuf.Keys
	}{{tuf.Root, roles.Root}, {tuf.Targets, roles.Targets}, {tuf.Snapshot, roles.Snapshot}, {tuf.Timestamp, roles.Timestamp}} {
		fmt.Fprintf(out, "%-10s %d of %d\n", r.name, r.keys.Threshold, len(r.keys.Public))
		for _, k := range r.keys.Public {
			mark := ""
			if slices.ContainsFunc(own, func(o signing.Key) bool { return o.Public() == hex.EncodeToString(k) }) {
				mark = " *"
			}
			fmt.Fprintf(out, "           %x%s\n", k, mark)
		}
	}
}

// writeRules shows the floor and what is revoked.
func writeRules(out io.Writer, trusted tuf.Trusted) {
	if floor := trusted.Floor(); !floor.IsZero() {
		fmt.Fprintf(out, "floor      %s\n", floor)
	}
	revoked := trusted.Revoked()
	for _, r := range []struct {
		what string
		list []string
	}{{"keys", revoked.Keys}, {"artefacts", revoked.Artefacts}, {"requests", revoked.Requests}} {
		if len(r.list) > 0 {
			fmt.Fprintf(out, "revoked    %s %s\n", r.what, strings.Join(r.list, ", "))
		}
	}
}

// writeDraft shows the signatures that the draft has and needs, if there is a draft.
func writeDraft(out io.Writer, file string) error {
	b, err := signing.ReadBundle(file)
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
			fmt.Fprintf(out, "draft      %s %d has %d of %d signatures\n", role, st.Version, st.Have, st.Need)
		}
	}
	return nil
}
