package statesrv

import (
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// errInvalidReport: the agent shall set the report aside and never send it again.
var errInvalidReport = errors.New("the report was refused")

// parseReport reads what an agent sent and checks that it speaks for itself only.
func parseReport(r bus.Report) (events.Record, events.Report, error) {
	rec, err := events.Unmarshal(r.Data)
	if err != nil {
		return rec, nil, fmt.Errorf("%w: %w", errInvalidReport, err)
	}
	payload, err := events.Decode(rec)
	if err != nil {
		return rec, nil, fmt.Errorf("%w: %w", errInvalidReport, err)
	}
	report, ok := payload.(events.Report)
	if _, late := payload.(*events.ReportLate); !ok || late {
		return rec, nil, fmt.Errorf("%w: %s is not for an agent to tell", errInvalidReport, rec.Kind)
	}
	if tag := events.MachineTag(report.Head().Machine); tag != r.Machine {
		return rec, nil, fmt.Errorf("%w: %s: %s speaks of %s", errInvalidReport, codeEventAuthor, r.Machine, tag)
	}
	return rec, report, nil
}

// authentic checks that a report is signed with its machine's key.
func authentic(m *projections.Machine, rec events.Record) error {
	if m == nil || m.Life != projections.LifeAlive {
		return nil // refused for that
	}
	if err := rec.CheckSignature(m.Key); err != nil {
		return fmt.Errorf("%w: %s: machine %s did not say this: %w", errInvalidReport, codeEventAuthor, m.ID, err)
	}
	return nil
}

// codeEventAuthor: who sent a report is not the machine that it speaks of.
const codeEventAuthor = "event-author"

// decideReport records a report once. It returns wire.ReportDuplicate as the code for one
// that was recorded before.
func decideReport(d *draft, rec events.Record, report events.Report) (code string, err error) {
	head := report.Head()
	m := d.state.Machines[head.Machine]
	switch {
	case m != nil && (m.Life == projections.LifePending || m.Life == projections.LifeQuarantined):
		return wire.ReportRetry, fmt.Errorf("machine %s waits for approval", head.Machine)
	case m == nil || m.Life != projections.LifeAlive:
		return wire.ReportInvalid, fmt.Errorf("%w: machine %s is not enrolled", errInvalidReport, head.Machine)
	case m.Seen(head):
		return wire.ReportDuplicate, nil
	}
	if u, ok := report.(*events.UnitStateChanged); ok {
		if unit := d.state.Units[u.Unit]; unit == nil || unit.Machine != head.Machine {
			return wire.ReportInvalid, fmt.Errorf("%w: unit %s is not machine %s's", errInvalidReport, u.Unit, head.Machine)
		}
	}
	if m.Lost {
		if _, err := d.add("", "", "", &events.MachineReturned{Machine: head.Machine}); err != nil {
			return wire.ReportRetry, err
		}
	}
	var instead events.Payload
	correlation := rec.Correlation
	if o, ok := report.(events.OrderReport); ok {
		open := d.state.Orders[head.Machine]
		_, _, ends := events.EndsOrder(report)
		switch {
		case open != nil && open.ID == o.OrderID():
			correlation = open.Upgrade
			if correlation == "" {
				correlation = open.Request
			}
		case ends && o.OrderID() == m.Ended && (!takenBack(o) || m.TakenBack(o.OrderID())):
			return wire.ReportDuplicate, nil // the agent died between saying so and noting that it did
		case ends:
			instead = late(head, o, rec)
		}
	}
	if instead != nil {
		_, err = d.add(events.MachineTag(head.Machine), causeOf(report), correlation, instead)
	} else {
		err = d.take(head.Machine, causeOf(report), correlation, rec)
	}
	if err != nil {
		return wire.ReportInvalid, fmt.Errorf("%w: %w", errInvalidReport, err)
	}
	return "", nil
}

// takenBack says whether a version was kept and then taken back: that is news, although
// its order has ended.
func takenBack(o events.OrderReport) bool {
	back, ok := o.(*events.AgentRolledBack)
	return ok && back.Failure.Step == events.StepAfterCommit
}

func causeOf(report events.Report) string {
	if o, ok := report.(events.OrderReport); ok {
		return o.OrderID()
	}
	return ""
}

// late keeps the last report of an order that has ended: no order ends twice.
func late(head events.ReportHead, o events.OrderReport, rec events.Record) *events.ReportLate {
	return &events.ReportLate{ReportHead: head, Order: o.OrderID(), Report: rec.Kind, Data: rec.Data, Key: rec.Key, Signature: rec.Signature}
}

// onReport queues a report from the bus.
func (t *term) onReport(r bus.Report) {
	rec, report, err := parseReport(r)
	if err != nil {
		t.metrics.garbage("report")
		r.Answer(wire.ReportAnswer{Code: wire.ReportInvalid, Text: err.Error()})
		return
	}
	t.presence.heard(report.Head().Machine, t.cfg.Now())
	var code string
	t.writer.submit(change{
		decide: func(d *draft) (err error) {
			if err = t.authentic(d.state.Machines[report.Head().Machine], rec); err != nil {
				code = wire.ReportInvalid
				t.metrics.garbage("report")
				t.cfg.Logger.Warn("refused a report", "machine", r.Machine, "kind", rec.Kind, "err", err)
				return err
			}
			code, err = decideReport(d, rec, report)
			return err
		},
		done: func(seq uint64, err error) {
			a := wire.ReportAnswer{Seq: seq, Code: code}
			switch {
			case notStored(err) || err != nil && code == "":
				a = wire.ReportAnswer{Code: wire.ReportRetry, Text: err.Error()}
			case err != nil:
				a.Text = err.Error()
			}
			r.Answer(a)
		},
	})
}
