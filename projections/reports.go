package projections

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// Steps of an Order that its machine has accepted.
const (
	StepDownloading = "downloading"
	StepStaged      = "staged"
	StepRestarting  = "restarting"
	StepStepping    = "stepping" // an upgrade step has failed and is tried again, or cannot be undone
)

// foldReport applies a report. A report of an unknown machine, and one whose number was folded before,
// change nothing.
func (s *State) foldReport(now time.Time, p events.Report) {
	head := p.Head()
	m := s.Machines[head.Machine]
	if m == nil || m.Seen(head) {
		return
	}
	m.heard(head)
	switch p := p.(type) {
	case *events.AgentStarted:
		m.runs(p.Version)
		m.Started, m.Since, m.Fork, m.Units = now, now, "", p.Units
		if m.Adrift = p.Order; p.Order == m.Ended || s.isOpen(m.ID, p.Order) {
			m.Adrift = ""
		}
		m.Unproven = m.Unproven || p.Unproven
		if p.NoReturn != "" && p.Order != m.Ended {
			m.NoReturn = &NoReturn{p.Order, p.NoReturn}
		}
	case *events.UnitStateChanged:
		s.foldUnitState(now, p)
	case *events.OrderRefused:
		if p.Code == tree.CodeFork {
			m.Fork = p.Text
		}
	default:
		s.foldOrderReport(now, m, p)
	}
}

// Seen says whether a report with this head was folded before. The state server then answers "duplicate"
// and appends nothing. A report of a new epoch is never seen: see events.ReportHead. A report of an epoch
// that has ended is: its signature is genuine, so anybody could put it into the log once more.
func (m *Machine) Seen(h events.ReportHead) bool {
	if h.Epoch == m.Epoch {
		return h.N <= m.Reports
	}
	return slices.ContainsFunc(m.Before, func(e Epoch) bool { return e.Name == h.Epoch && h.N <= e.Reports })
}

// heard notes the number of a report. An epoch that begins again, as on a disk that was put back, goes on
// from where it was.
func (m *Machine) heard(h events.ReportHead) {
	if h.Epoch != m.Epoch && m.Epoch != "" {
		kept := slices.DeleteFunc(slices.Clone(m.Before), func(e Epoch) bool { return e.Name == h.Epoch || e.Name == m.Epoch })
		m.Before = append(kept, Epoch{m.Epoch, m.Reports})
		m.Before = m.Before[max(0, len(m.Before)-maxEpochs):]
	}
	m.Epoch, m.Reports = h.Epoch, h.N
}

// runs notes the version that a machine's agent says it runs.
func (m *Machine) runs(v version.Binary) {
	if m.Version.Number != v.Number {
		m.Previous = m.Version.Number
	}
	m.Version = v
}

// foldOrderReport applies a report on an order. What it says of the machine itself is noted in
// any case; the order changes only while it is open: an order that ended before, or that never
// was, is left alone.
func (s *State) foldOrderReport(now time.Time, m *Machine, p events.Report) {
	if o, ok := p.(events.OrderReport); ok {
		s.foldWorksOn(m, o)
	}
	if _, _, ends := events.EndsOrder(p); ends {
		s.foldEnd(now, m, p)
		return
	}
	switch p := p.(type) {
	case *events.AgentDownloading:
		s.foldStep(m.ID, p.Order, StepDownloading, p.Percent)
	case *events.AgentStaged:
		s.foldStep(m.ID, p.Order, StepStaged, 100)
	case *events.AgentRestarting:
		s.foldStep(m.ID, p.Order, StepRestarting, 100)
	case *events.AgentStepping:
		s.foldStepping(m, p)
	case *events.ReportLate:
		s.foldLate(now, m, p)
	}
}

// foldWorksOn notes which order a machine works on. A report on an order that is not open, and that is not
// the one which the machine has ended last, says that the machine has not heard of its end.
func (s *State) foldWorksOn(m *Machine, p events.OrderReport) {
	switch order := p.OrderID(); {
	case s.isOpen(m.ID, order):
		m.believed(s.Orders[m.ID], p)
	case order != "" && order != m.Ended:
		m.Adrift = order
	}
}

// foldEnd applies the last report of an order.
func (s *State) foldEnd(now time.Time, m *Machine, p events.Report) {
	switch p := p.(type) {
	case *events.AgentUpgraded:
		if s.endedBy(m, p.Order, DoneUpgraded) != nil {
			m.runs(p.Version)
			m.Failure = nil
			m.Unproven = false
		}
	case *events.AgentUpgradeFailed:
		m.deny(now, p.Failure)
		m.Unproven = m.Unproven || m.cannotUndo(p.Order) // before endedBy forgets it
		if o := s.endedBy(m, p.Order, DoneFailed); o != nil {
			m.Failure = &Failed{Failure: p.Failure, Order: o.ID, To: o.To, Time: now}
		}
	case *events.AgentRolledBack:
		m.deny(now, p.Failure)
		if o := s.endedBy(m, p.Order, DoneRolledBack); o != nil {
			m.goesBackTo(p.Version)
			m.Failure = &Failed{Failure: p.Failure, Order: o.ID, To: o.To, RolledBack: true, Time: now}
		}
	case *events.RestartDone:
		m.Ended = p.Order
		s.endOrder(m.ID, p.Order, "")
	}
}

// endedBy is endOrder for a report: the agent itself has ended the order.
func (s *State) endedBy(m *Machine, order, how string) *Order {
	m.Ended = order
	m.forgetOrder(order)
	return s.endOrder(m.ID, order, how)
}

// forgetOrder drops what was noted of a machine while it worked on an order that it has ended
// by now.
func (m *Machine) forgetOrder(order string) {
	if m.cannotUndo(order) {
		m.NoReturn = nil
	}
	if m.Adrift == order {
		m.Adrift = ""
	}
}

// cannotUndo says whether the machine took an upgrade step of that order that cannot be undone.
func (m *Machine) cannotUndo(order string) bool {
	return m.NoReturn != nil && m.NoReturn.Order == order
}

func (s *State) foldStepping(m *Machine, p *events.AgentStepping) {
	if p.NoReturn {
		m.NoReturn = &NoReturn{p.Order, p.Step}
	}
	if o := s.Orders[m.ID]; o != nil && o.ID == p.Order {
		o.Accepted, o.Step, o.Trouble = true, StepStepping, ""
		if p.Error != "" {
			o.Trouble = p.Step + ": " + p.Error
		}
	}
}

func (s *State) foldStep(machine, order, step string, percent int) {
	if o := s.Orders[machine]; o != nil && o.ID == order {
		o.Accepted, o.Step, o.Percent = true, step, percent
		if o.Kind == OrderUpgrade {
			s.Machines[machine].Resolved = false // it heard it, at the latest with this order
		}
	}
}

// maxDenied is how many refused builds of a machine a State keeps.
const maxDenied = 20

// deny notes the build that a machine refuses from now on, if the failure names one.
func (m *Machine) deny(now time.Time, f events.Failure) {
	if f.Denied.SHA256 == "" {
		return
	}
	kept := slices.DeleteFunc(slices.Clone(m.Denied), func(d Denied) bool { return d.Tools.SHA256 == f.Denied.SHA256 })
	m.Denied = append(kept, Denied{Tools: f.Denied, Why: f.Text, Time: now})
	m.Denied = m.Denied[max(0, len(m.Denied)-maxDenied):]
}

// foldLate applies a report whose order had ended before. The order is not changed, but what the report
// says of the machine itself holds: the build that it refuses, and the version that it runs. If a
// version was kept and failed afterwards, the machine counts as rolled back after all.
func (s *State) foldLate(now time.Time, m *Machine, p *events.ReportLate) {
	switch p.Report {
	case (*events.AgentUpgraded)(nil).Kind():
		m.Unproven = false
	case (*events.AgentUpgradeFailed)(nil).Kind():
		m.Unproven = m.Unproven || m.cannotUndo(p.Order)
	}
	m.Ended = p.Order
	m.forgetOrder(p.Order)
	var told struct {
		Version version.Binary `json:"version"`
		Failure events.Failure `json:"failure"`
	}
	if json.Unmarshal(p.Data, &told) != nil {
		return
	}
	m.deny(now, told.Failure)
	if !told.Version.IsZero() {
		m.goesBackTo(told.Version)
	}
	if told.Failure.Step != events.StepAfterCommit {
		return
	}
	to := told.Failure.Denied.Version.Number
	m.Failure = &Failed{Failure: told.Failure, Order: p.Order, To: to, RolledBack: true, Time: now}
	if u := s.Upgrade; u != nil && u.To == to && u.Done[m.ID] == DoneUpgraded {
		u.Done[m.ID] = DoneRolledBack
	}
}

// TakenBack says whether the version of that order was kept on the machine and then taken back.
func (m *Machine) TakenBack(order string) bool {
	return m.Failure != nil && m.Failure.Order == order && m.Failure.Step == events.StepAfterCommit
}

// goesBackTo notes the version that runs after a roll-back. The version that was tried does not
// become the previous one: it was never kept.
func (m *Machine) goesBackTo(v version.Binary) {
	if m.Previous == v.Number {
		m.Previous = version.Number{}
	}
	m.Version = v
}

// believed notes that a machine works on an order: from now on it remembers the checkpoint that came with
// this order, and no other. After it has refused an order, it is unknown which one it remembers.
func (m *Machine) believed(o *Order, p events.Report) {
	if _, refused := p.(*events.AgentUpgradeFailed); !refused && o.Head > 0 {
		m.Heads, m.Fork = []uint64{o.Head}, ""
	}
}
