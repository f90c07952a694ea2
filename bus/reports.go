package bus

import (
	"context"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// Report is a report of a machine's agent as a state server receives it.
type Report struct {
	Machine string // tag, "machine-3", from the subject: NATS lets only that machine publish there
	Data    []byte // an encoded events.Record, or garbage
	Answer  func(wire.ReportAnswer)
}

// ServeReports hands every report to f, one after another, until stop is called. The next
// report waits until f returns, so f queues the report and answers later.
func (c *Conn) ServeReports(f func(Report)) (stop func(), err error) {
	return c.subscribe(names.SubjectReport+"*", limits.ReportBytes, func(m *nats.Msg) {
		tag := strings.TrimPrefix(m.Subject, names.SubjectReport)
		if err := c.budgets.reports.take(tag, len(m.Data)); err != nil {
			c.garbage(m.Subject, err)
			c.answer(m, wire.ReportAnswer{Code: wire.ReportRetry, Text: err.Error()})
			return
		}
		f(Report{
			Machine: tag, Data: m.Data,
			Answer: func(a wire.ReportAnswer) { c.answer(m, a) },
		})
	})
}

// Report sends one report and waits until a state server has it on disk, or refuses it. It
// returns ErrNoStateServer when nobody serves reports, and the error of ctx when nobody
// answered: then it is not known whether the report is stored, and it is to be sent again.
func (c *Conn) Report(ctx context.Context, tag string, rec events.Record) (wire.ReportAnswer, error) {
	data, err := events.Marshal(rec)
	if err != nil {
		return wire.ReportAnswer{}, fmt.Errorf("report %s: %w", rec.Kind, err)
	}
	if len(data) > limits.ReportBytes {
		return wire.ReportAnswer{}, fmt.Errorf("report %s: %w: %d bytes, limit %d", rec.Kind, ErrTooLarge, len(data), limits.ReportBytes)
	}
	var a wire.ReportAnswer
	if err := c.request(ctx, names.SubjectReport+tag, data, &a); err != nil {
		return wire.ReportAnswer{}, fmt.Errorf("report %s: %w", rec.Kind, err)
	}
	return a, nil
}
