package audit

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// tell says in words why a fact is in the log, and gives the id of the machine that it is about: empty for
// none or several. It is the table from kind to words.
func tell(payload events.Payload) (why, machine string) {
	switch p := payload.(type) {
	case *events.EnvironmentCreated:
		return fmt.Sprintf("environment %s was created at %s", p.Name, p.AgentVersion), ""
	case *events.SettingChanged:
		if p.Unset {
			return p.Key + " was unset", ""
		}
		return p.Key + " was set to " + p.Value, ""
	case *events.SnapshotTaken:
		return fmt.Sprintf("the state at %d was written down", p.Seq), ""

	case *events.TrustSigned:
		return fmt.Sprintf("signed metadata, part %d of %d", p.Part+1, p.Parts), ""

	case *events.RequestReceived:
		return asked(p.Request), ""
	case *events.RestartRequested:
		return asked(p.Request) + " of machines " + names(p.Machines), ""
	case *events.ToolsSyncRequested:
		return fmt.Sprintf("%s of %d archives from %s%s", asked(p.Request), len(p.Wanted), p.Source, vouched(p.SignedBy, p.Unsigned)), ""
	case *events.UpgradeRequested:
		return asked(p.Request) + " to " + p.To.String(), ""
	case *events.RequestRefused:
		return "refused: " + reasons(p.Reasons), ""
	case *events.UpgradeRefused:
		return "refused: " + reasons(p.Reasons), ""

	case *events.ToolsStored:
		return fmt.Sprintf("%s, %d bytes, from %s%s", p.Tools.Version, p.Tools.Size, p.Source, vouched(p.SignedBy, p.Unsigned)), ""
	case *events.ToolsMissed:
		return fmt.Sprintf("%s cannot be fetched (will retry): %s", p.Tools.Version, p.Reason), ""
	case *events.ToolsMarked:
		return fmt.Sprintf("%s is %s, says %s", p.Version, p.Marks.Words(), p.Source), ""
	case *events.SourceLost:
		return fmt.Sprintf("%s cannot be read: %s", p.Source, p.Reason), ""
	case *events.SourceReturned:
		return p.Source + " can be read again, or is not searched any more", ""
	case *events.UnitAdded:
		what := "runs " + strings.Join(p.Command, " ") + " on machine " + p.Machine
		if p.User != "" {
			what += " as " + p.User
		}
		return what, p.Machine
	case *events.UnitRemoved:
		return "was removed", ""
	case *events.UnitsAssigned:
		return fmt.Sprintf("runs %d units", len(p.Units)), p.Machine

	case *events.RequestPending:
		return fmt.Sprintf("%s; it waits until %d operators agree", asked(p.Request), p.Needed), ""
	case *events.RequestApproved:
		if p.Missing > 0 {
			return fmt.Sprintf("%s agrees; %d more must", p.Request.Operator, p.Missing), ""
		}
		return p.Request.Operator + " agrees; nobody else must", ""

	case *events.UpgradePending:
		return fmt.Sprintf("waits until %d operators agree", p.Needed), ""
	case *events.UpgradeApproved:
		return p.Request.Operator + " agrees", ""
	case *events.UpgradeAccepted:
		return fmt.Sprintf("from %s to %s on %d machines", p.From, p.To, len(p.Machines)), ""
	case *events.UpgradeHalted:
		return reasons(p.Reasons), ""
	case *events.UpgradeAborted:
		return "by request " + p.Request, ""
	case *events.UpgradeCompleted:
		return "every machine runs " + p.Version.String(), ""
	case events.Report:
		return tellReport(p), p.Head().Machine
	}
	return tellMachine(payload)
}

func tellMachine(payload events.Payload) (why, machine string) {
	switch p := payload.(type) {
	case *events.MachineInvited:
		return "a host may join as this machine", p.Machine
	case *events.MachineEnrolled:
		if p.Pending != "" {
			return fmt.Sprintf("%s joined with %s and waits for approval: %s", p.Hostname, p.Version, p.Pending), p.Machine
		}
		return fmt.Sprintf("%s joined with %s", p.Hostname, p.Version), p.Machine
	case *events.MachineApproved:
		return "was approved", p.Machine
	case *events.MachineQuarantined:
		return "was shut out: " + p.Text, p.Machine
	case *events.MachineRenewed:
		return fmt.Sprintf("got credentials of generation %d", p.Generation), p.Machine
	case *events.TokenGuessed:
		return fmt.Sprintf("somebody tried %d wrong tokens for it; nobody joins as it before %s", p.Tries, p.Until.UTC().Format(time.TimeOnly)), p.Machine
	case *events.MachineRemoved:
		return "was removed", p.Machine
	case *events.MachineLost:
		return "was not heard for too long", p.Machine
	case *events.MachineReturned:
		return "is heard again", p.Machine
	case *events.MachineResolved:
		return "may try again the versions that failed there", p.Machine
	case *events.OrderIssued:
		return fmt.Sprintf("move from %s to %s", p.From, p.Tools.Version.Number), p.Machine
	case *events.OrderSuperseded:
		return "withdrawn: " + p.Reason, p.Machine
	case *events.OrderTimedOut:
		return "the machine did not end its order in time", p.Machine
	case *events.RestartOrdered:
		return "restart the agent", p.Machine
	}
	return "", ""
}

func tellReport(report events.Report) string {
	switch p := report.(type) {
	case *events.AgentStarted:
		return fmt.Sprintf("runs %s as process %d", p.Version, p.PID)
	case *events.AgentDownloading:
		if p.Percent == 0 {
			return "accepted the order and begins to download"
		}
		return fmt.Sprintf("downloaded %d%%", p.Percent)
	case *events.AgentStaged:
		return "the new version is verified and lies ready"
	case *events.AgentRestarting:
		return fmt.Sprintf("%s gives way to %s", p.From, p.To)
	case *events.AgentStepping:
		what := fmt.Sprintf("upgrade step of %s: %s", p.Release, p.Step)
		if p.Error != "" {
			return what + " failed and is tried again: " + p.Error
		}
		return what + "; it cannot be undone: there is no way back by itself from here on"
	case *events.AgentUpgraded:
		return p.Version.String() + " proved itself healthy and was kept"
	case *events.AgentUpgradeFailed:
		return failed(p.Failure) + "; the old version never stopped"
	case *events.AgentRolledBack:
		return fmt.Sprintf("%s; runs %s again", failed(p.Failure), number(p.Version))
	case *events.RestartDone:
		return fmt.Sprintf("runs again as process %d", p.PID)
	case *events.OrderRefused:
		return fmt.Sprintf("does not obey %s%s%s: %s", p.Record, and(p.Order), and(p.Unit), p.Text)
	case *events.TrustRefused:
		return fmt.Sprintf("does not believe the published metadata %.12s (%s): %s", p.Bundle, p.Code, p.Text)
	case *events.TrustStale:
		return fmt.Sprintf("has heard nothing newer than the signed timestamp %d, which ends at %s", p.Timestamp, p.Ends.UTC().Format(time.RFC3339))
	case *events.ReportLate:
		return late(p)
	case *events.UnitStateChanged:
		if p.Info != "" {
			return p.State + ": " + p.Info
		}
		return p.State
	}
	return ""
}

func number(b version.Binary) string { return b.Number.String() }

func asked(q events.Request) string { return q.Operator + " asked for " + q.Action }

func failed(f events.Failure) string {
	words := fmt.Sprintf("failed at %s: %s (%s, cause %s)", f.Step, f.Text, f.Code, f.Cause)
	said := strings.TrimSpace(f.Output)
	if said = strings.TrimSpace(said[strings.LastIndexByte(said, '\n')+1:]); said != "" {
		words += fmt.Sprintf("; it last said %q", said)
	}
	return words
}

// late gives a report in words that came after its order had ended.
func late(p *events.ReportLate) string {
	words := "came after the order " + p.Order + " had ended: " + p.Report
	var told struct {
		Failure events.Failure `json:"failure"`
	}
	if json.Unmarshal(p.Data, &told) == nil && told.Failure.Text != "" {
		words += ": " + failed(told.Failure)
	}
	return words
}

func reasons(rs []events.Reason) string {
	texts := make([]string, len(rs))
	for i, r := range rs {
		texts[i] = r.Text + " (" + r.Code + ")"
	}
	return strings.Join(texts, "; ")
}

// names lists the ids of the first few machines, and says how many more there are.
func names(ids []string) string {
	const shown = 8
	if len(ids) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:shown], ", "), len(ids)-shown)
	}
	return strings.Join(ids, ", ")
}

// vouched says who signed the metadata of a source, if that is known.
func vouched(signedBy string, unsigned bool) string {
	switch {
	case unsigned:
		return ", which nobody signed"
	case signedBy != "":
		return ", signed by " + signedBy
	}
	return ""
}

// and puts a space before a name, if there is one.
func and(name string) string {
	if name == "" {
		return ""
	}
	return " " + name
}
