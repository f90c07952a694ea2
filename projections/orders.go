package projections

import (
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// Order is an open order: no fact has ended it yet.
type Order struct {
	ID       string         `json:"id"`
	Machine  string         `json:"machine"`
	Kind     string         `json:"kind"` // OrderUpgrade or OrderRestart
	Upgrade  string         `json:"upgrade,omitempty"`
	Request  string         `json:"request,omitempty"` // of a restart
	To       version.Number `json:"to"`
	Issued   time.Time      `json:"issued"`
	Expires  time.Time      `json:"expires,omitzero"`
	Accepted bool           `json:"accepted,omitempty"`
	Step     string         `json:"step,omitempty"` // a Step… constant
	Percent  int            `json:"percent,omitempty"`
	Head     uint64         `json:"head,omitempty"`    // size of the log at the checkpoint that came with the order
	Trouble  string         `json:"trouble,omitempty"` // why an upgrade step failed that is tried again
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
			m.Heads = slices.Delete(m.Heads, 1, 2) // keep the first one: most likely the machine still remembers that one
		}
	}
}

// maxHeads is how many of a machine's checkpoints a State keeps; see Machine.Heads.
const maxHeads = 8

func (s *State) foldRestartOrdered(r events.Record, p *events.RestartOrdered) {
	s.Orders[p.Machine] = &Order{
		ID: p.Order, Machine: p.Machine, Kind: OrderRestart, Request: r.Correlation, Issued: r.Time,
	}
}

// endOrder removes an open order of a machine, notes in its upgrade how it ended, and returns it. It
// returns nil if this order is not open.
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

// isOpen says whether this order of a machine is open.
func (s *State) isOpen(machine, order string) bool {
	o := s.Orders[machine]
	return o != nil && o.ID == order
}

// withdraw ends an order that its machine has not ended. A machine that has accepted the order still
// works on it: see Machine.Adrift.
func (s *State) withdraw(machine, order, how string) *Order {
	o := s.endOrder(machine, order, how)
	if m := s.Machines[machine]; o != nil && m != nil && o.Accepted && o.Kind == OrderUpgrade {
		m.Adrift = o.ID
	}
	return o
}

// foldResolved forgets which builds a machine refuses. The machine's next order says so too, for an agent
// that was away.
func (s *State) foldResolved(p *events.MachineResolved) {
	if m := s.Machines[p.Machine]; m != nil {
		m.Denied, m.Resolved = nil, true
	}
}
