package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
)

func (a *juju) approveUpgradeCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "approve-upgrade ID", Short: "Agree to an upgrade that another operator asked for", Args: cobra.ExactArgs(1),
		Long: `Agree to an upgrade that waits for more operators, as the quorums of the environment ask
for some machines. juju status shows it, and who has agreed. What is signed is the request
of the other operator, byte for byte: this command shows what it says and asks before.
The machines check each approval themselves.`,
		Example: "  juju approve-upgrade 0198f2d4-4c2e-7a10-8000-5d0c2a7b9e11\n  juju approve-upgrade 0198f2d4-4c2e-7a10-8000-5d0c2a7b9e11 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s *session) error { return s.approve(cmd.Context(), args[0], yes) })
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func (s *session) approve(ctx context.Context, id string, yes bool) error {
	w, err := wire.Pending.Ask(ctx, s, wire.Nothing{})
	if err != nil {
		return app.Fail(err, "Nothing was approved.", "")
	}
	if w.Upgrade != id {
		return app.Fail(fmt.Errorf("no upgrade %s waits for approval", id), "Nothing was approved.", "juju status")
	}
	_, asked, err := events.ParseSigned(w.Signed)
	if err != nil || asked.ID != id || asked.Upgrade == nil || asked.Machines == nil {
		return app.Fail(errors.Join(fmt.Errorf("what waits as %s is not an upgrade of that id", id), err), "Nothing was approved.", "")
	}
	s.app.Say("Upgrade %s to %s, of %d machines, asked at %s; %d of %d operators agree: %s", id, asked.Upgrade.To, asked.Machines.Count,
		asked.Created.Format("2006-01-02 15:04 MST"), len(w.Agreed), w.Needed, strings.Join(w.Agreed, ", "))
	for _, t := range asked.Upgrade.Artefacts {
		s.app.Say("  %s  sha256 %s", t.Version, t.SHA256)
	}
	if !yes && !s.app.Confirm("You agree to this.") {
		return app.Fail(errors.New("not approved"), "Nothing was changed.", "")
	}
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionApprove, Approve: &events.AskApprove{Request: id, SHA256: warrant.Digest(w.Signed)}})
	if err != nil {
		return err
	}
	for _, rec := range recs {
		switch p, _ := events.Decode(rec); p := p.(type) {
		case *events.UpgradeAccepted:
			s.app.Say("Upgrade %s has started", id)
			return nil
		case *events.UpgradeRefused:
			return app.Refused{What: "upgrade " + id, Reasons: p.Reasons}
		}
	}
	s.app.Say("You agree; it waits for %d more", w.Needed-len(w.Agreed)-1)
	return nil
}
