package upgrade

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
)

// approve is `juju approve`, and `juju approve-upgrade`, which it was called while only upgrades waited.
type approve struct {
	app *app.App
	id  string
	yes bool
}

// approver asks what waits, and asks to approve it.
type approver interface {
	wire.Asker
	Request(ctx context.Context, ask events.Ask) ([]events.Record, error)
}

func (c *approve) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "approve ID", Aliases: []string{"approve-upgrade"}, Short: "Agree to what another operator asked for", Args: cobra.ExactArgs(1),
		Long: `Agree to a request that waits for more operators, as the quorums of the environment ask for
some machines: an upgrade, a unit, a setting that changes what is believed. juju status shows
what waits, and who has agreed. What is signed is the request of the other operator, byte for
byte: this command checks who signed it, shows all that it says and asks before. The machines
check each approval themselves.`,
		Example: "  juju approve 0198f2d4-4c2e-7a10-8000-5d0c2a7b9e11\n  juju approve-upgrade 0198f2d4-4c2e-7a10-8000-5d0c2a7b9e11 --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			c.id = args[0]
			return signing.WithSite(cmd.Context(), c.app, func(s *session.Session, p *signing.Site) error {
				return c.run(cmd.Context(), s, warrant.Reader{Environment: s.Env.UUID, Trust: p.Trusted, Now: time.Now()})
			})
		},
	}
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask")
	return cmd
}

// run shows the request that waits, and signs its digest only after a person has agreed.
func (c *approve) run(ctx context.Context, s approver, r warrant.Reader) error {
	w, err := wire.Pending.Ask(ctx, s, wire.Text(c.id))
	if err != nil {
		return app.Fail(err, "Nothing was approved.", "")
	}
	if w.ID != c.id {
		return app.Fail(fmt.Errorf("no request %s waits for approval", c.id), "Nothing was approved.", "juju status")
	}
	asked, by, err := r.Request(w.Signed)
	if err == nil && asked.ID != c.id {
		err = fmt.Errorf("it is the request %s", asked.ID)
	}
	if err != nil {
		return app.Fail(fmt.Errorf("what waits as %s is not a request of that id by an operator: %w", c.id, err), "Nothing was approved.",
			"find out who answers as the state server")
	}
	c.show(asked, by, w)
	if !c.yes && !c.app.Confirm("You agree to this.") {
		return app.Fail(errors.New("not approved"), "Nothing was changed.", "")
	}
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionApprove, Approve: &events.AskApprove{Request: c.id, SHA256: warrant.Digest(w.Signed)}})
	if err != nil {
		return err
	}
	return c.tell(recs, w.Needed-len(w.Agreed)-1)
}

// show says everything that is approved.
func (c *approve) show(asked events.Ask, by events.Operator, w wire.Waiting) {
	lines := asked.InWords()
	c.app.Show("%s asked at %s: %s", by.Name, asked.Created.Format("2006-01-02 15:04 MST"), lines[0])
	for _, line := range lines[1:] {
		c.app.Show("  %s", line)
	}
	if asked.Machines != nil {
		c.app.Show("It is for %d machines; the digest of their ids and keys is %x", asked.Machines.Count, asked.Machines.Root)
	}
	c.app.Show("You sign the sha256 of the request, %s; %d of %d operators agree: %s", warrant.Digest(w.Signed), len(w.Agreed), w.Needed,
		strings.Join(w.Agreed, ", "))
}

// tell says what became of the request. missing is the number of operators who still must agree.
func (c *approve) tell(recs []events.Record, missing int) error {
	for _, rec := range recs {
		switch p, _ := events.Decode(rec); p := p.(type) {
		case *events.UpgradeAccepted:
			c.app.Say("Upgrade %s has started", c.id)
			return nil
		case *events.UpgradeRefused:
			return app.Refused{What: "upgrade " + c.id, Reasons: p.Reasons}
		case *events.RequestApproved:
			missing = p.Missing
		case *events.UnitAdded:
			fmt.Fprintf(c.app.Stdout, "unit %s on machine %s\n", p.Unit, p.Machine)
		}
	}
	if missing > 0 {
		c.app.Say("You agree; it waits for %d more", missing)
		return nil
	}
	c.app.Say("You agree, as the last one who had to: it is done")
	return nil
}
