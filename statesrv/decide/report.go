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

// ReceivedReport is a report as it came from a machine, read once. Nothing of it is believed before
// AuthenticateReport has said whose it is.
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
	payload, err := events.Decode(rec)
	if err != nil {
		return ReceivedReport{Record: rec}, fmt.Errorf("%w: %w", ErrInvalidReport, err)
	}
	report, ok := payload.(events.Report)
	if _, late := payload.(*events.ReportLate); !ok || late {
		return ReceivedReport{Record: rec}, fmt.Errorf("%w: %s is not for an agent to tell", ErrInvalidReport, rec.Kind)
	}
	if tag := events.MachineTag(report.Head().Machine); tag != from {
		return ReceivedReport{Record: rec}, fmt.Errorf("%w: %s: %s speaks of %s", ErrInvalidReport, events.CodeEventAuthor, from, tag)
	}
	return ReceivedReport{rec, report}, nil
}

// AuthenticateReport checks that a report is signed with its machine's key. What a machine
// says that is not enrolled is refused by Report for that.
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

// Report records a report once. code is a Report… constant of package wire: that the report
// was recorded before (ReportDuplicate, without an error), or what the agent shall do about
// the error.
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

// factOf is what goes into the log for a report of a machine: the report itself, or that it
// came late, because no order ends twice. duplicate says that the end of an order was
// recorded before: the agent died between saying so and noting that it did.
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

// takenBack says whether a version was kept and then taken back: that is news, although its
// order has ended.
func takenBack(o events.OrderReport) bool {
	back, ok := o.(*events.AgentRolledBack)
	return ok && back.Failure.Step == events.StepAfterCommit
}

// late keeps a report that ends an order which has ended already.
func late(head events.ReportHead, o events.OrderReport, rec events.Record) *events.ReportLate {
	return &events.ReportLate{ReportHead: head, Order: o.OrderID(), Report: rec.Kind, Data: rec.Data, Key: rec.Key, Signature: rec.Signature}
}
