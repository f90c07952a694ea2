package trial

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

// Run is how one run of an agent ended.
type Run struct {
	Version string
	Failure events.Failure // how, and the end of its output
	Asked   bool           // it asked to be started again, or was stopped
	Lasted  time.Duration
}

// Ended notes the end of a run: in a trial what to report if it was the last start, after
// a commit one more crash, or that the version has lived for settle. back says that it
// crashed as often as attempts allow: the version before it, now Good, must run again.
func Ended(j install.Journal, r Run, attempts int, settle time.Duration) (next install.Journal, back bool) {
	if _, onTrial := Target(j); onTrial {
		if !r.Asked {
			j.Failure = &r.Failure
			j.Failure.Text, j.Failure.Output = clip(r.Failure.Text, 4000), clip(r.Failure.Output, 8000)
		}
		return j, false
	}
	switch g := j.Guard; {
	case g == nil || g.Order.Tools.Version.String() != r.Version:
	case r.Lasted >= settle:
		j.Guard = nil
	case r.Asked:
	case g.Crashes+1 < attempts || j.Last == "":
		j.Guard = &install.Guard{Order: g.Order, Crashes: g.Crashes + 1, Unproven: g.Unproven}
	default:
		r.Failure.Step = events.StepAfterCommit
		r.Failure.Text = fmt.Sprintf("version %s was kept and then failed %d times: %s", r.Version, g.Crashes+1, r.Failure.Text)
		return fallBack(j, r.Failure), true
	}
	return j, false
}

// fallBack undoes a commit whose version does not live. Its order may have its end in the
// log already; another one that is in work is looked at again.
func fallBack(j install.Journal, f events.Failure) install.Journal {
	if j.Order != nil && j.Order.ID != j.Guard.Order.ID {
		j.Seq--
	}
	order := j.Guard.Order
	j.Order, j.Unproven, j.Guard = &order, j.Guard.Unproven, nil
	j.Good, j.Last = j.Last, ""
	return RolledBack(j, f)
}
