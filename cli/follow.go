package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/projections/audit"
)

// follow shows each step of an upgrade until it has ended. A halt is an error that names
// the machine and the reason.
func (s *session) follow(ctx context.Context, decided []events.Record, id string) error {
	for _, rec := range decided {
		if end, err := s.show(rec, id); end {
			return err
		}
	}
	for rec, err := range s.Conn.Log().Follow(ctx, decided[len(decided)-1].Seq+1) {
		if ctx.Err() != nil {
			return app.Fail(ctx.Err(), "The upgrade goes on without this command.", "juju status --watch")
		}
		if err != nil {
			continue
		}
		if end, err := s.show(rec, id); end {
			return err
		}
	}
	return errors.New("the log ended")
}

// show writes one record of the upgrade, and says whether it ended.
func (s *session) show(rec events.Record, id string) (end bool, err error) {
	if rec.Correlation != id {
		return false, nil
	}
	payload, err := events.Decode(rec)
	if err != nil {
		return false, nil
	}
	if _, mere := payload.(*events.AgentDownloading); !mere || s.app.Verbose || s.app.Debug {
		e := audit.EntryOf(rec)
		about := ""
		if e.Machine != "" {
			about = events.MachineTag(e.Machine)
		}
		s.app.Say("%s  %-18s %-11s %s", rec.Time.Local().Format("15:04:05"), strings.TrimSuffix(rec.Kind, "/1"), about, e.Why)
	}
	switch p := payload.(type) {
	case *events.UpgradeCompleted:
		s.app.Say("Every machine runs %s", p.Version)
		return true, nil
	case *events.UpgradeAborted:
		if p.Upgrade != id {
			return false, nil // the one before, which this request was to end
		}
		return true, app.Fail(errors.New("the upgrade was aborted by another request"), "What was upgraded stays as it is.", "juju status")
	case *events.UpgradeHalted:
		var why []string
		for _, r := range p.Reasons {
			why = append(why, r.Text)
		}
		return true, app.Fail(fmt.Errorf("the upgrade has halted: %s", strings.Join(why, "; ")),
			"No further machine is upgraded; machines that failed run their version from before.",
			"juju status; then juju upgrade-juju --reset-previous-upgrade, with another version")
	}
	return false, nil
}
