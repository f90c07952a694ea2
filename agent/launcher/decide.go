package launcher

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

// Decide is the launcher's judgement before a start, without any I/O: the journal, the
// version that the link names (empty: none), and what the last failed attempt said (empty:
// no attempt of the version failed by itself). A version that had its attempts is taken
// back, unless it has taken a step that cannot be undone.
func Decide(j install.Journal, current, output string, now Moment, attempts int) Verdict {
	if j.Phase != install.PhaseTrial || j.Trial == nil || j.Order == nil {
		return Verdict{Journal: j}
	}
	to := j.Order.Tools.Version.String()
	if j.Trial.Attempts >= attempts && j.NoReturn == "" {
		f := spent(to, j.Trial.Attempts, output)
		return Verdict{Journal: j, Back: &f}
	}
	v := Verdict{Journal: j, Write: true}
	if current != to {
		v.Switch = to
	}
	trial := *j.Trial
	trial.Attempts++
	if trial.BootID != now.BootID || j.NoReturn != "" { // without a way back, every start has the whole budget
		trial.BootID, trial.Started = now.BootID, int64(now.Since)
	}
	v.Journal.Trial = &trial
	return v
}

// spent says why a version is taken back: by its own fault, when one of its attempts
// failed; by the host's, when each was cut off by a reboot or a power cut.
func spent(to string, attempts int, output string) events.Failure {
	if output == "" {
		return events.Failure{
			Step: "trial", Cause: events.CauseEnvironment, Code: "interrupted",
			Text: fmt.Sprintf("the host stopped in each of %d starts of %s", attempts, to),
		}
	}
	why, _, _ := strings.Cut(output, "\n")
	why = strings.ToValidUTF8(why[:min(len(why), 1000)], "")
	return events.Failure{
		Step: "trial", Cause: events.CauseVersion, Code: "crashed", Output: clip(output),
		Text: fmt.Sprintf("version %s did not prove itself in %d starts: %s", to, attempts, why),
	}
}

// RolledBack is the journal once the link points to the last good version again. Only a
// version's own fault is held against it.
func RolledBack(j install.Journal, f events.Failure) install.Journal {
	if f.Cause == events.CauseVersion {
		denied := map[string]string{j.Order.Tools.SHA256: f.Text}
		maps.Copy(denied, j.Denied)
		j.Denied = denied
	}
	j.Phase, j.Trial, j.Failure = install.PhaseRolledBack, nil, &f
	return j
}

// Committed is the journal of a version that is kept.
func Committed(j install.Journal) install.Journal {
	j.Phase, j.Trial, j.Failure, j.NoReturn = install.PhaseCommitted, nil, nil, ""
	if to := j.Order.Tools.Version.String(); to != j.Good {
		j.Last, j.Good = j.Good, to
	}
	return j
}
