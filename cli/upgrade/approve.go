package upgrade

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
)

// approveUpgrade is `juju approve-upgrade`.
type approveUpgrade struct {
	app *app.App
	id  string
	yes bool
}

// approver asks which upgrade waits, and asks to approve it.
type approver interface {
	wire.Asker
	Request(ctx context.Context, ask events.Ask) ([]events.Record, error)
}

func (c *approveUpgrade) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "approve-upgrade ID", Short: "Agree to an upgrade that another operator asked for", Args: cobra.ExactArgs(1),
		Long: `Agree to an upgrade that waits for more operators, as the quorums of the environment ask
for some machines. juju status shows it, and who has agreed. What is signed is the request
of the other operator, byte for byte: this command shows what it says and asks before.
The machines check each approval themselves.`,
		Example: "  juju approve-upgrade 0198f2d4-4c2e-7a10-8000-5d0c2a7b9e11\n  juju approve-upgrade 0198f2d4-4c2e-7a10-8000-5d0c2a7b9e11 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.id = args[0]
			return session.With(cmd.Context(), c.app, func(s *session.Session) error { return c.run(cmd.Context(), s) })
		},
	}
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	return cmd
}

// run shows the request that waits, and signs its digest only after a person has agreed.
func (c *approveUpgrade) run(ctx context.Context, s approver) error {
	w, err := wire.Pending.Ask(ctx, s, wire.Nothing{})
	if err != nil {
		return app.Fail(err, "Nothing was approved.", "")
	}
	if w.Upgrade != c.id {
		return app.Fail(fmt.Errorf("no upgrade %s waits for approval", c.id), "Nothing was approved.", "juju status")
	}
	_, asked, err := events.ParseSigned(w.Signed)
	if err != nil || asked.ID != c.id || asked.Upgrade == nil || asked.Machines == nil {
		return app.Fail(errors.Join(fmt.Errorf("what waits as %s is not an upgrade of that id", c.id), err), "Nothing was approved.", "")
	}
	c.app.Say("Upgrade %s to %s, of %d machines, asked at %s; %d of %d operators agree: %s", c.id, asked.Upgrade.To, asked.Machines.Count,
		asked.Created.Format("2006-01-02 15:04 MST"), len(w.Agreed), w.Needed, strings.Join(w.Agreed, ", "))
	for _, t := range asked.Upgrade.Artefacts {
		c.app.Say("  %s  sha256 %s", t.Version, t.SHA256)
	}
	if !c.yes && !c.app.Confirm("You agree to this.") {
		return app.Fail(errors.New("not approved"), "Nothing was changed.", "")
	}
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionApprove, Approve: &events.AskApprove{Request: c.id, SHA256: warrant.Digest(w.Signed)}})
	if err != nil {
		return err
	}
	return c.tell(recs, w.Needed-len(w.Agreed)-1)
}

// tell says what became of the upgrade. missing is the number of operators who still must agree.
func (c *approveUpgrade) tell(recs []events.Record, missing int) error {
	for _, rec := range recs {
		switch p, _ := events.Decode(rec); p := p.(type) {
		case *events.UpgradeAccepted:
			c.app.Say("Upgrade %s has started", c.id)
			return nil
		case *events.UpgradeRefused:
			return app.Refused{What: "upgrade " + c.id, Reasons: p.Reasons}
		}
	}
	c.app.Say("You agree; it waits for %d more", missing)
	return nil
}
