package statesrv

import (
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// reports takes what agents tell.
type reports struct {
	writer   *writer.Writer
	presence *presence
	now      func() time.Time
	garbage  func(what string) // counts what was refused for what it is
	logger   *slog.Logger
}

// onReport queues a report from the bus. It is authenticated on the state on which it is
// decided: a key that was replaced, or a machine that was shut out, counts from that moment.
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

// answerTo is the answer to a report that was decided with that code, or could not be stored.
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
