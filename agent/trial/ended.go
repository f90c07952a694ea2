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
	Failure events.Failure // how it ended, and the end of its output
	Asked   bool           // it asked to be started again, or was stopped: no crash
	Lasted  time.Duration
}

// Ended gives the journal after a run. In a trial it keeps the failure: that is what is
// reported if no attempt is left. After a commit it counts the crash, or ends the guard when
// the version has run for settle.
//
// back says that a committed version has crashed attempts times. Then the version before it is
// Good again, and the launcher must make it run.
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

// fallBack undoes the commit of a version that crashes again and again. The log may say already
// that the version's order ended well; the report that follows corrects that. If another order
// is in work by now, it is dropped here, and Seq steps back so that the agent takes it up again.
func fallBack(j install.Journal, f events.Failure) install.Journal {
	if j.Order != nil && j.Order.ID != j.Guard.Order.ID {
		j.Seq--
	}
	order := j.Guard.Order
	j.Order, j.Unproven, j.Guard = &order, j.Guard.Unproven, nil
	j.Good, j.Last = j.Last, ""
	return RolledBack(j, f)
}
