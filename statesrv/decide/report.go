package decide

import (
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// ErrInvalidReport: the agent shall set the report aside and never send it again.
var ErrInvalidReport = errors.New("the report was refused")

// ReceivedReport is a report as it came from a machine, decoded once. Nothing of it is believed before
// AuthenticateReport has checked its signature.
type ReceivedReport struct {
	Record events.Record
	Report events.Report
}

// Machine is the id of the machine that the report speaks of.
func (t ReceivedReport) Machine() string { return t.Report.Head().Machine }

// ReadReport reads what the agent with the tag from has sent, and checks that it speaks for
// itself only. The error is ErrInvalidReport.
func ReadReport(from string, data []byte) (ReceivedReport, error) {
	rec, err := events.Unmarshal(data)
	if err != nil {
		return ReceivedReport{Record: rec}, fmt.Errorf("%w: %w", ErrInvalidReport, err)
	}
	report, err := events.DecodeReport(rec)
	if err != nil {
		return ReceivedReport{Record: rec}, fmt.Errorf("%w: %w", ErrInvalidReport, err)
	}
	if tag := events.MachineTag(report.Head().Machine); tag != from {
		return ReceivedReport{Record: rec}, fmt.Errorf("%w: %s: %s speaks of %s", ErrInvalidReport, events.CodeEventAuthor, from, tag)
	}
	return ReceivedReport{rec, report}, nil
}

// AuthenticateReport checks that a report is signed with its machine's key. A machine that is not enrolled
// has no key to check against; Report refuses what it sends. The error is ErrInvalidReport.
func AuthenticateReport(at At, told ReceivedReport) error {
	m := at.State.Machines[told.Machine()]
	if m == nil || m.Life != projections.LifeAlive {
		return nil
	}
	if err := told.Record.CheckSignature(m.Key); err != nil {
		return fmt.Errorf("%w: %s: machine %s did not say this: %w", ErrInvalidReport, events.CodeEventAuthor, m.ID, err)
	}
	return nil
}

// Report records a report once. code is a constant of package wire. It is empty for a report that is
// recorded, wire.ReportDuplicate without an error for one that was recorded before, and otherwise what
// the agent must do about the error: set the report aside (wire.ReportInvalid), or keep it and send it
// again (wire.ReportRetry).
func Report(at At, told ReceivedReport) (d Decision, code string, err error) {
	head := told.Report.Head()
	m := at.State.Machines[head.Machine]
	switch {
	case m != nil && (m.Life == projections.LifePending || m.Life == projections.LifeQuarantined):
		return d, wire.ReportRetry, fmt.Errorf("machine %s waits for approval", head.Machine)
	case m == nil || m.Life != projections.LifeAlive:
		return d, wire.ReportInvalid, fmt.Errorf("%w: machine %s is not enrolled", ErrInvalidReport, head.Machine)
	case m.Seen(head):
		return d, wire.ReportDuplicate, nil
	}
	if u, ok := told.Report.(*events.UnitStateChanged); ok {
		if unit := at.State.Units[u.Unit]; unit == nil || unit.Machine != head.Machine {
			return d, wire.ReportInvalid, fmt.Errorf("%w: unit %s is not machine %s's", ErrInvalidReport, u.Unit, head.Machine)
		}
	}
	fact, duplicate := factOf(at.State, m, told)
	if duplicate {
		return d, wire.ReportDuplicate, nil
	}
	if m.Lost {
		d.Facts = append(d.Facts, Fact{Payload: &events.MachineReturned{Machine: m.ID}})
	}
	d.Facts = append(d.Facts, fact)
	return d, "", nil
}

// factOf is what goes into the log for a report: the report itself, or the fact that it came late if it
// ends an order that has ended otherwise. No order ends twice. duplicate says that this end of the order
// was recorded before: the agent died after it had sent the report and before it had noted that, so it
// reports the end again under another number.
func factOf(s *projections.State, m *projections.Machine, told ReceivedReport) (f Fact, duplicate bool) {
	f = Fact{Actor: events.MachineTag(m.ID), Correlation: told.Record.Correlation, Report: &told.Record}
	o, ok := told.Report.(events.OrderReport)
	if !ok {
		return f, false
	}
	f.Cause = o.OrderID()
	open := s.Orders[m.ID]
	_, _, ends := events.EndsOrder(told.Report)
	switch {
	case open != nil && open.ID == o.OrderID():
		f.Correlation = open.Upgrade
		if f.Correlation == "" {
			f.Correlation = open.Request
		}
	case ends && o.OrderID() == m.Ended && (!takenBack(o) || m.TakenBack(o.OrderID())):
		return f, true
	case ends:
		f.Payload, f.Report = late(told.Report.Head(), o, told.Record), nil
	}
	return f, false
}

// takenBack says whether a report tells that a version was kept and then taken back. That is recorded,
// although its order has ended before.
func takenBack(o events.OrderReport) bool {
	back, ok := o.(*events.AgentRolledBack)
	return ok && back.Failure.Step == events.StepAfterCommit
}

// late is the fact that a report came which ends an order that has ended already. It holds the report
// with its signature.
func late(head events.ReportHead, o events.OrderReport, rec events.Record) *events.ReportLate {
	return &events.ReportLate{ReportHead: head, Order: o.OrderID(), Report: rec.Kind, Data: rec.Data, Key: rec.Key, Signature: rec.Signature}
}
