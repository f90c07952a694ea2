package trial

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

// Moment is a time that does not depend on the wall clock: how long the boot with that id has
// lasted.
type Moment struct {
	BootID string
	Since  time.Duration // CLOCK_BOOTTIME
}

// Verdict is what a launcher does before a start. If Back is set, it goes back to the last good
// version. Else it first makes the link point to Switch, and then writes the journal if Write
// says so. Doing it twice, or again after it was cut off, leads to the same end.
type Verdict struct {
	Journal install.Journal
	Back    *events.Failure // why the version on trial is taken back; nil: it is not
	Switch  string          // the version that the link must point to; empty: leave it
	Write   bool            // the journal counts one more attempt
}

// Target is the version that is on trial now, if one is.
func Target(j install.Journal) (name string, onTrial bool) {
	if j.Phase != install.PhaseTrial || j.Order == nil || j.Trial == nil {
		return "", false
	}
	return j.Order.Tools.Version.String(), true
}

// Decide judges before a start. current is the version that the link names; empty means none.
// A version on trial that has used up its attempts or its time is rolled back, unless it has
// taken an upgrade step that cannot be undone: such a version is tried for ever.
func Decide(j install.Journal, current string, now Moment, attempts int) Verdict {
	to, onTrial := Target(j)
	if !onTrial && j.Good != "" && current != j.Good {
		return Verdict{Journal: j, Switch: j.Good} // the link was moved for a trial that the journal does not know, or the move back is not durable
	}
	if !onTrial {
		return Verdict{Journal: j}
	}
	// The time is that of the whole trial: a version that has used it up gets no other attempt.
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
	if t.BootID != now.BootID || j.NoReturn != "" { // a version without a way back has the whole time in each start
		t.BootID, t.Started = now.BootID, int64(now.Since)
	}
	v.Journal.Trial = &t
	return v
}

// spent says why a version that has used up its attempts is rolled back. If one of them failed,
// the version is to blame. If none did, a reboot or a power cut ended each, and the host is.
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

// RolledBack is the journal to write once the link points to the last good version again. The
// version is denied on this machine from then on if the failure was its own fault, and only
// then.
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

// clip keeps the last limit bytes of a text, as a record takes no more.
func clip(s string, limit int) string {
	return strings.ToValidUTF8(s[max(0, len(s)-limit):], "?")
}

// Committed is the journal once the version on trial is kept. The version is guarded, unless
// it has closed the way back: then there is no version that could take its place.
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

// Kept is the journal once the version of that order has proved itself. A journal that is
// committed already is ok, too: it is written again, as it may not be durable yet. ok is false
// when the journal is about another order.
func Kept(j install.Journal, order string) (next install.Journal, ok bool) {
	if j.Order == nil || j.Order.ID != order {
		return j, false
	}
	if _, onTrial := Target(j); onTrial {
		j = Committed(j)
	}
	return j, j.Phase == install.PhaseCommitted
}
