package agent

import (
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Input is something that happened to the machine.
type Input interface{ input() }

// What can happen.
type (
	// Started: this process began; the journal was read.
	Started struct{}
	// Ordered: the newest record on the machine's order subject is an upgrade.
	Ordered struct {
		Seq   uint64
		Order events.OrderIssued
		Now   time.Time

		Until    time.Time       // when the request behind it ends: it is not begun later
		Unlawful *events.Failure // why it must not be done, as Law says; nil: it may be
	}
	// Withdrawn: the newest record says that there is nothing to do (any more).
	Withdrawn struct {
		Seq   uint64
		Order string // the order that is withdrawn
	}
	// Resolved: the newest record lets the machine try builds again that failed on it.
	Resolved struct {
		Seq      uint64
		Unlawful *events.Failure
	}
	// RestartOrdered: the newest record is a restart.
	RestartOrdered struct {
		Seq   uint64
		Order string

		Request  string
		Until    time.Time
		Unlawful *events.Failure
	}
	// WentBack: the newest record on the machine's order subject lies before one that was there
	// earlier. Nothing of it is done; Failure says why.
	WentBack struct {
		Record  string // its kind
		Order   string // that it gives; empty: it is no order
		Failure events.Failure
	}
	// Judged: the order in work was judged again, before the step of that name; a nil Failure
	// means that it still holds.
	Judged struct {
		Order   string
		Before  string // a Before… constant
		Failure *events.Failure
	}
	// Downloaded, Staged, Tested and Switched say how an effect ended. A nil Failure means
	// that it went well.
	Downloaded struct {
		Order   string
		Failure *events.Failure
	}
	Staged struct {
		Order   string
		Failure *events.Failure
	}
	Tested struct {
		Order   string
		Failure *events.Failure
	}
	Switched struct {
		Order   string
		Failure *events.Failure
	}
	// Stepped: all upgrade steps are done if Closes is empty. Otherwise Closes describes the
	// next step, which is of that Release and cannot be undone.
	Stepped struct {
		Order   string // empty: the version is not on trial
		Release version.Number
		Closes  string
	}
	// Proved: this process was healthy for the whole window.
	Proved struct{ Order string }
	// Undone: the upgrade steps of all versions above To are undone, or Failure says why not.
	Undone struct {
		Order   string
		To      version.Number
		Failure *events.Failure
	}
	// Committed: the launcher keeps the version on trial; it wrote the journal.
	Committed struct{ Journal install.Journal }
)

func (Started) input()        {}
func (Ordered) input()        {}
func (Withdrawn) input()      {}
func (Resolved) input()       {}
func (Stepped) input()        {}
func (Proved) input()         {}
func (Undone) input()         {}
func (RestartOrdered) input() {}
func (WentBack) input()       {}
func (Judged) input()         {}
func (Downloaded) input()     {}
func (Staged) input()         {}
func (Tested) input()         {}
func (Switched) input()       {}
func (Committed) input()      {}
