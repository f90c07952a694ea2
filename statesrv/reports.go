package statesrv

import (
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// reports receives the reports of agents.
type reports struct {
	writer   *writer.Writer
	presence *presence
	now      func() time.Time
	garbage  func(what string) // counts a message that is no valid report
	logger   *slog.Logger
}

// onReport queues a report, and answers it when its record is on disk. The signature is checked in the
// decision, on the state that the decision sees: so a machine whose key was replaced, or that was
// shut out, by a change before this one in the queue is judged as such.
func (s *reports) onReport(r bus.Report) {
	told, err := decide.ReadReport(r.Machine, r.Data)
	if err != nil {
		s.garbage("report")
		r.Answer(wire.ReportAnswer{Code: wire.ReportInvalid, Text: err.Error()})
		return
	}
	s.presence.noteAlive(told.Machine(), s.now())
	var code string
	var forged bool
	s.writer.Submit(writer.Change{
		Decide: func(at decide.At) (d decide.Decision, err error) {
			err = decide.AuthenticateReport(at, told)
			if forged = err != nil; forged {
				code = wire.ReportInvalid
				return d, err
			}
			d, code, err = decide.Report(at, told)
			return d, err
		},
		Done: func(seq uint64, err error) {
			if forged && !writer.NotStored(err) {
				s.garbage("report")
				s.logger.Warn("refused a report", "machine", r.Machine, "kind", told.Record.Kind, "err", err)
			}
			r.Answer(answerTo(seq, code, err))
		},
	})
}

// answerTo is the answer to a report. code is what decide.Report said of it, err why it was refused or
// not stored. A report that was not stored is sent again, whatever its decision was.
func answerTo(seq uint64, code string, err error) wire.ReportAnswer {
	switch {
	case writer.NotStored(err):
		return wire.ReportAnswer{Code: wire.ReportRetry, Text: err.Error()}
	case err != nil && code == "": // the log cannot hold it
		return wire.ReportAnswer{Seq: seq, Code: wire.ReportInvalid, Text: decide.ErrInvalidReport.Error() + ": " + err.Error()}
	case err != nil:
		return wire.ReportAnswer{Seq: seq, Code: code, Text: err.Error()}
	}
	return wire.ReportAnswer{Seq: seq, Code: code}
}
