package projections

import (
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Kinds of an Order.
const (
	OrderUpgrade = "upgrade"
	OrderRestart = "restart"
)

// Steps of an Order that its machine has accepted.
const (
	StepDownloading = "downloading"
	StepStaged      = "staged"
	StepRestarting  = "restarting"
)

// How a machine's order of an upgrade ended: the values of Upgrade.Done.
const (
	DoneUpgraded   = "upgraded"
	DoneFailed     = "failed"
	DoneRolledBack = "rolled-back"
	DoneTimedOut   = "timed-out"
)

func (s *State) foldOrderIssued(now time.Time, p *events.OrderIssued) {
	s.Orders[p.Machine] = &Order{
		ID: p.Order, Machine: p.Machine, Kind: OrderUpgrade, Upgrade: p.Upgrade,
		To: p.Tools.Version.Number, Issued: now, Expires: moment(p.Expires),
	}
}

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
	o := s.endOrder(p.Machine, p.Order, DoneTimedOut)
	m := s.Machines[p.Machine]
	if o == nil || m == nil || o.Kind != OrderUpgrade {
		return
	}
	step := o.Step
	if step == "" {
		step = "accept"
	}
	m.Failure = &Failed{Order: o.ID, To: o.To, Time: now, Failure: events.Failure{
		Step: step, Cause: events.CauseEnvironment, Code: "timed-out",
		Text: "the machine did not end the order in time",
	}}
}

// foldOrderReport applies a report on an order. One on an order that is not open (it
// ended before, or never was) changes nothing.
func (s *State) foldOrderReport(now time.Time, m *Machine, p events.Report) {
	switch p := p.(type) {
	case *events.AgentDownloading:
		s.foldStep(m.ID, p.Order, StepDownloading, p.Percent)
	case *events.AgentStaged:
		s.foldStep(m.ID, p.Order, StepStaged, 100)
	case *events.AgentRestarting:
		s.foldStep(m.ID, p.Order, StepRestarting, 100)
	case *events.AgentUpgraded:
		if s.endOrder(m.ID, p.Order, DoneUpgraded) != nil {
			m.runs(p.Version)
			m.Failure = nil
		}
	case *events.AgentUpgradeFailed:
		if o := s.endOrder(m.ID, p.Order, DoneFailed); o != nil {
			m.Failure = &Failed{Failure: p.Failure, Order: o.ID, To: o.To, Time: now}
		}
	case *events.AgentRolledBack:
		if o := s.endOrder(m.ID, p.Order, DoneRolledBack); o != nil {
			m.comesBack(p.Version)
			m.Failure = &Failed{Failure: p.Failure, Order: o.ID, To: o.To, RolledBack: true, Time: now}
		}
	case *events.RestartDone:
		s.endOrder(m.ID, p.Order, "")
	}
}

// comesBack notes the version after a roll-back. The version that was tried does not
// become the previous one: it never was kept.
func (m *Machine) comesBack(v version.Binary) {
	if m.Previous == v.Number {
		m.Previous = version.Number{}
	}
	m.Version = v
}

func (s *State) foldStep(machine, order, step string, percent int) {
	if o := s.Orders[machine]; o != nil && o.ID == order {
		o.Accepted, o.Step, o.Percent = true, step, percent
	}
}
