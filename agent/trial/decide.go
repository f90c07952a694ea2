package trial

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

// Moment is a time that no wall clock can move: since the boot of that name.
type Moment struct {
	BootID string
	Since  time.Duration // CLOCK_BOOTTIME
}

// Verdict is what a launcher does before a start: go Back, or else Switch the link, then
// Write the journal. Done twice, or cut off and done again, it comes to the same.
type Verdict struct {
	Journal install.Journal
	Back    *events.Failure // why the version on trial is taken back; nil: it is not
	Switch  string          // the version that the link must point to; empty: leave it
	Write   bool            // the journal counts one more attempt
}

// Target is the version that the launcher judges now, if it does.
func Target(j install.Journal) (name string, onTrial bool) {
	if j.Phase != install.PhaseTrial || j.Order == nil || j.Trial == nil {
		return "", false
	}
	return j.Order.Tools.Version.String(), true
}

// Decide is the judgement before a start: of the journal, and of the version that the
// link names (empty: none). A version that had its attempts or its time is taken back,
// unless it has taken a step that cannot be undone.
func Decide(j install.Journal, current string, now Moment, attempts int) Verdict {
	to, onTrial := Target(j)
	if !onTrial && j.Good != "" && current != j.Good {
		return Verdict{Journal: j, Switch: j.Good} // a switch that was taken back, or that is not durable
	}
	if !onTrial {
		return Verdict{Journal: j}
	}
	// A version that used up the time of its whole trial gets no other attempt.
	late := j.Failure != nil && j.Failure.Code == events.CodeUnhealthy
	if (late || j.Trial.Attempts >= attempts) && j.NoReturn == "" {
		f := spent(to, j)
		return Verdict{Journal: j, Back: &f}
	}
	v := Verdict{Journal: j, Write: true}
	if current != to {
		v.Switch = to
	}
	t := *j.Trial
	t.Attempts++
	if t.BootID != now.BootID || j.NoReturn != "" { // without a way back, every start has the whole budget
		t.BootID, t.Started = now.BootID, int64(now.Since)
	}
	v.Journal.Trial = &t
	return v
}

// spent says why a version is taken back: by its own fault, when one of its attempts
// failed; by the host's, when each was cut off by a reboot or a power cut.
func spent(to string, j install.Journal) events.Failure {
	if j.Failure == nil {
		return events.Failure{
			Step: "trial", Cause: events.CauseEnvironment, Code: events.CodeInterrupted,
			Text: fmt.Sprintf("the host stopped in each of %d starts of %s", j.Trial.Attempts, to),
		}
	}
	f := *j.Failure
	f.Text = fmt.Sprintf("version %s did not prove itself in %d starts: %s", to, j.Trial.Attempts, f.Text)
	return f
}

// RolledBack is the journal once the link points to the last good version again. Only a
// version's own fault is held against it.
func RolledBack(j install.Journal, f events.Failure) install.Journal {
	f.Text, f.Output = clip(f.Text, 4000), clip(f.Output, 8000)
	if f.Cause == events.CauseVersion {
		denied := map[string]string{j.Order.Tools.SHA256: f.Text}
		maps.Copy(denied, j.Denied)
		j.Denied = denied
	}
	j.Phase, j.Trial, j.Failure = install.PhaseRolledBack, nil, &f
	return j
}

// clip keeps the end of a text within a record's limit.
func clip(s string, limit int) string {
	return strings.ToValidUTF8(s[max(0, len(s)-limit):], "?")
}

// Committed is the journal of a version that is kept. It is guarded, unless nothing before
// it can come back.
func Committed(j install.Journal) install.Journal {
	j.Guard = nil
	if to := j.Order.Tools.Version.String(); to != j.Good {
		if j.NoReturn == "" {
			j.Guard = &install.Guard{Order: *j.Order, Unproven: j.Unproven}
		}
		j.Last, j.Good = j.Good, to
	}
	j.Phase, j.Trial, j.Failure, j.NoReturn, j.Unproven = install.PhaseCommitted, nil, nil, "", ""
	return j
}

// Kept is the journal once the version of that order has proved itself, also when it says
// so already and nobody knows whether that is durable. Not ok: another order is in work.
func Kept(j install.Journal, order string) (next install.Journal, ok bool) {
	if j.Order == nil || j.Order.ID != order {
		return j, false
	}
	if _, onTrial := Target(j); onTrial {
		j = Committed(j)
	}
	return j, j.Phase == install.PhaseCommitted
}
