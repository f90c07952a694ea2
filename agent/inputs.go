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

		Until    time.Time       // nobody begins it later
		Unlawful *events.Failure // what the law says against it
	}
	// Withdrawn: the newest record says that there is nothing to do.
	Withdrawn struct {
		Seq   uint64
		Order string // that is withdrawn
	}
	// Resolved: the newest record lets the machine try again what failed there.
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
	// Downloaded, Staged, Tested and Switched tell how an effect ended; a nil Failure
	// means well.
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
	// Stepped: the upgrade steps are all done or, when Closes says so, the next one is of
	// that release and cannot be undone.
	Stepped struct {
		Order   string // empty: the version is not on trial
		Release version.Number
		Closes  string
	}
	// Proved: this process was healthy for the whole window.
	Proved struct{ Order string }
	// Undone: the upgrade steps above To are undone, or not.
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
func (Downloaded) input()     {}
func (Staged) input()         {}
func (Tested) input()         {}
func (Switched) input()       {}
func (Committed) input()      {}
