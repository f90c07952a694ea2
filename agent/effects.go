package agent

import (
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Effect is something to do. Effects are done in the order in which Step returns them. Each
// may be done twice: if the disk refuses one, all effects of that step are done again.
type Effect interface{ effect() }

// What can be done.
type (
	// Save writes the journal. When it is done the journal is durable; Step puts it before
	// the effects that the journal speaks of.
	Save struct{ Journal install.Journal }
	// Tell puts a report into the outbox.
	Tell struct{ Report events.Report }
	// Judge judges the order in work again, with what is known now; it ends with Judged.
	Judge struct {
		Order  install.Order
		Before string // a Before… constant
	}
	// Download, Stage, Test and Switch work on the order. Each goes on beside the loop, and
	// ends with an input: Downloaded, Staged, Tested, Switched.
	Download struct{ Order install.Order }
	Stage    struct {
		Order install.Order
		InUse []string
	}
	Test   struct{ Order install.Order }
	Switch struct{ Order install.Order }
	// Drop ends whatever works on the order: it is not wanted any more.
	Drop struct{}
	// TakeSteps takes this version's upgrade steps, again and again until they are done.
	// Unless Freely, it stops before the first that cannot be undone. It ends with Stepped.
	TakeSteps struct {
		Order  string
		Freely bool
	}
	// Undo lets a version undo its upgrade steps down to an older one; it ends with Undone.
	Undo struct {
		Order string
		By    version.Binary
		To    version.Number
	}
	// Prove watches this process, which is on trial, until it is healthy; it ends with
	// Proved. Vouch then says so to the launcher.
	Prove struct{ Order install.Order }
	Vouch struct{ Order string }
	// Restart ends this process; the launcher starts the next.
	Restart struct{}
	// Collect removes all versions but those of Keep.
	Collect struct{ Keep []string }
)

// Steps before which an order in work is judged again. Between the moment when it was taken
// up and each of these, hours or a power cut may lie.
const (
	BeforeDownload = "download" // by a process that found the order in the journal
	BeforeTest     = "test"     // which runs the new version for the first time
	BeforeSwitch   = "switch"   // beyond it nothing is asked any more
)

func (Save) effect()      {}
func (Tell) effect()      {}
func (Judge) effect()     {}
func (Download) effect()  {}
func (Stage) effect()     {}
func (Test) effect()      {}
func (Switch) effect()    {}
func (Drop) effect()      {}
func (TakeSteps) effect() {}
func (Undo) effect()      {}
func (Vouch) effect()     {}
func (Prove) effect()     {}
func (Restart) effect()   {}
func (Collect) effect()   {}
