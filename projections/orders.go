package projections

import (
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// Order is one that its machine has not ended yet.
type Order struct {
	ID       string         `json:"id"`
	Machine  string         `json:"machine"`
	Kind     string         `json:"kind"` // upgrade or restart
	Upgrade  string         `json:"upgrade,omitempty"`
	Request  string         `json:"request,omitempty"` // of a restart
	To       version.Number `json:"to"`
	Issued   time.Time      `json:"issued"`
	Expires  time.Time      `json:"expires,omitzero"`
	Accepted bool           `json:"accepted,omitempty"`
	Step     string         `json:"step,omitempty"` // a Step… constant
	Percent  int            `json:"percent,omitempty"`
	Head     uint64         `json:"head,omitempty"`    // size of the log's checkpoint that came with it
	Trouble  string         `json:"trouble,omitempty"` // of an upgrade step that is tried again
}

// Kinds of an Order.
const (
	OrderUpgrade = "upgrade"
	OrderRestart = "restart"
)

// How a machine's order of an upgrade ended: the values of Upgrade.Done.
const (
	DoneUpgraded   = "upgraded"
	DoneFailed     = "failed"
	DoneRolledBack = "rolled-back"
	DoneTimedOut   = "timed-out"
)

func (s *State) foldOrderIssued(now time.Time, p *events.OrderIssued) {
	o := &Order{
		ID: p.Order, Machine: p.Machine, Kind: OrderUpgrade, Upgrade: p.Upgrade,
		To: p.Tools.Version.Number, Issued: now, Expires: moment(p.Expires),
	}
	if c, err := tree.Parse(p.Log.Checkpoint, s.UUID); err == nil {
		o.Head = c.Size
	}
	s.Orders[p.Machine] = o
	if m := s.Machines[p.Machine]; m != nil && o.Head > 0 && !slices.Contains(m.Heads, o.Head) {
		m.Heads = append(m.Heads, o.Head)
		if len(m.Heads) > maxHeads {
			m.Heads = slices.Delete(m.Heads, 1, 2) // the oldest is the likeliest of those before the last
		}
	}
}

// maxHeads is how many checkpoints a machine is thought to remember one of.
const maxHeads = 8

func (s *State) foldRestartOrdered(r events.Record, p *events.RestartOrdered) {
	s.Orders[p.Machine] = &Order{
		ID: p.Order, Machine: p.Machine, Kind: OrderRestart, Request: r.Correlation, Issued: r.Time,
	}
}

// endOrder closes a machine's open order if it is this one, notes how it ended for the
// upgrade it belongs to, and gives it back; nil when it is not open.
func (s *State) endOrder(machine, order, how string) *Order {
	o := s.Orders[machine]
	if o == nil || o.ID != order {
		return nil
	}
	delete(s.Orders, machine)
	if u := s.Upgrade; how != "" && u != nil && u.ID == o.Upgrade {
		u.Done[machine] = how
	}
	return o
}

func (s *State) foldTimedOut(now time.Time, p *events.OrderTimedOut) {
	o := s.withdraw(p.Machine, p.Order, DoneTimedOut)
	m := s.Machines[p.Machine]
	if o == nil || m == nil || o.Kind != OrderUpgrade {
		return
	}
	step := o.Step
	if step == "" {
		step = "accept"
	}
	m.Failure = &Failed{Order: o.ID, To: o.To, Time: now, Failure: events.Failure{
		Step: step, Cause: events.CauseEnvironment, Code: events.CodeTimedOut,
		Text: "the machine did not end the order in time",
	}}
}

// isOpen says whether a machine's open order is this one.
func (s *State) isOpen(machine, order string) bool {
	o := s.Orders[machine]
	return o != nil && o.ID == order
}

// withdraw closes an order without its machine: one that has begun it is still at it.
func (s *State) withdraw(machine, order, how string) *Order {
	o := s.endOrder(machine, order, how)
	if m := s.Machines[machine]; o != nil && m != nil && o.Accepted && o.Kind == OrderUpgrade {
		m.Adrift = o.ID
	}
	return o
}

// foldResolved forgets what a machine refused. Its next order repeats it, for an agent
// that was away.
func (s *State) foldResolved(p *events.MachineResolved) {
	if m := s.Machines[p.Machine]; m != nil {
		m.Denied, m.Resolved = nil, true
	}
}
