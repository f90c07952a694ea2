package upgrade

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/audit"
)

// follower shows the steps of one upgrade.
type follower struct {
	app     *app.App
	upgrade string // its id
}

// follow shows each step until the upgrade has ended: first the records of the decision, then the
// records that follow it in the log. A halt is an error that names the machine and the reason.
func (f *follower) follow(ctx context.Context, log events.Log, decided []events.Record) error {
	for _, rec := range decided {
		if end, err := f.show(rec); end {
			return err
		}
	}
	for rec, err := range log.Follow(ctx, decided[len(decided)-1].Seq+1) {
		if ctx.Err() != nil {
			return app.Fail(ctx.Err(), "The upgrade goes on without this command.", "juju status --watch")
		}
		if errors.Is(err, events.ErrInvalid) {
			continue // a record that this client cannot read
		}
		if err != nil {
			return app.Fail(err, "The upgrade goes on without this command.", "")
		}
		if end, err := f.show(rec); end {
			return err
		}
	}
	return errors.New("the log ended")
}

// show writes one record of the upgrade, and says whether the upgrade has ended with it.
func (f *follower) show(rec events.Record) (end bool, err error) {
	if rec.Correlation != f.upgrade {
		return false, nil
	}
	payload, err := events.Decode(rec)
	if err != nil {
		return false, nil
	}
	if _, progress := payload.(*events.AgentDownloading); !progress || f.app.Verbose || f.app.Debug {
		f.write(rec)
	}
	switch p := payload.(type) {
	case *events.UpgradeCompleted:
		f.app.Say("Every machine runs %s", p.Version)
		return true, nil
	case *events.UpgradeAborted:
		if p.Upgrade != f.upgrade {
			return false, nil // the upgrade before this one: this request has aborted it
		}
		return true, app.Fail(errors.New("the upgrade was aborted by another request"), "What was upgraded stays as it is.", "juju status")
	case *events.UpgradeHalted:
		return true, halted(p)
	}
	return false, nil
}

func (f *follower) write(rec events.Record) {
	e := audit.EntryOf(rec)
	about := ""
	if e.Machine != "" {
		about = events.MachineTag(e.Machine)
	}
	f.app.Say("%s  %-18s %-11s %s", rec.Time.Local().Format("15:04:05"), strings.TrimSuffix(rec.Kind, "/1"), about, e.Why)
}

func halted(p *events.UpgradeHalted) error {
	var why []string
	for _, r := range p.Reasons {
		why = append(why, r.Text)
	}
	return app.Fail(fmt.Errorf("the upgrade has halted: %s", strings.Join(why, "; ")),
		"No further machine is upgraded; machines that failed run their version from before.",
		"juju status; then juju upgrade-juju --reset-previous-upgrade, with another version")
}
