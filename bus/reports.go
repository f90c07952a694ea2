package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/nats-io/nats.go"
)

// Report is what a machine's agent tells, as a state server receives it.
type Report struct {
	Machine string // tag, "machine-3", from the subject: NATS let only its holder publish
	Data    []byte // an encoded events.Record
	Answer  func(wire.ReportAnswer)
}

// ServeReports hands every report to f until stop is called. f must not block for long:
// it queues the report and answers later.
func (c *Conn) ServeReports(f func(Report)) (stop func(), err error) {
	return c.subscribe(names.SubjectReport+"*", limits.ReportBytes, func(m *nats.Msg) {
		tag := strings.TrimPrefix(m.Subject, names.SubjectReport)
		if !c.rates.allow(tag) {
			c.garbage(m.Subject, ErrTooOften)
			c.answer(m, wire.ReportAnswer{Code: wire.ReportRetry, Text: ErrTooOften.Error()})
			return
		}
		f(Report{
			Machine: tag, Data: m.Data,
			Answer: func(a wire.ReportAnswer) { c.answer(m, a) },
		})
	})
}

func (c *Conn) answer(m *nats.Msg, v any) {
	if m.Reply == "" {
		return
	}
	data, err := json.Marshal(v)
	if err == nil {
		err = m.Respond(data)
	}
	if err != nil {
		c.cfg.Logger.Debug("answering", "subject", m.Subject, "err", err)
	}
}

// Report sends one report and waits until it is on disk, or refused. It returns
// ErrNoStateServer when nobody serves reports, and ctx's error when nobody answered.
func (c *Conn) Report(ctx context.Context, tag string, rec events.Record) (wire.ReportAnswer, error) {
	data, err := events.Marshal(rec)
	if err != nil {
		return wire.ReportAnswer{}, fmt.Errorf("report %s: %w", rec.Kind, err)
	}
	if len(data) > limits.ReportBytes {
		return wire.ReportAnswer{}, fmt.Errorf("report %s: %w: %d bytes, limit %d", rec.Kind, ErrTooLarge, len(data), limits.ReportBytes)
	}
	var a wire.ReportAnswer
	m, err := c.nats.RequestWithContext(ctx, names.SubjectReport+tag, data)
	if err == nil {
		err = json.Unmarshal(m.Data, &a)
	}
	if err != nil {
		return wire.ReportAnswer{}, fmt.Errorf("report %s: %w", rec.Kind, translate(err))
	}
	return a, nil
}

// ServeBeats hands every heartbeat to f until stop is called. answer is nil for one that
// wants none.
func (c *Conn) ServeBeats(f func(tag string, b wire.Beat, answer func(wire.Echoed))) (stop func(), err error) {
	return c.subscribe(names.SubjectBeat+"*", limits.BeatBytes, func(m *nats.Msg) {
		var b wire.Beat
		tag := strings.TrimPrefix(m.Subject, names.SubjectBeat)
		if !c.rates.allow(tag) {
			c.garbage(m.Subject, ErrTooOften)
			return
		}
		if err := json.Unmarshal(m.Data, &b); err != nil {
			c.garbage(m.Subject, err)
			return
		}
		var answer func(wire.Echoed)
		if m.Reply != "" {
			answer = func(e wire.Echoed) { c.answer(m, e) }
		}
		f(tag, b, answer)
	})
}

// Beat sends a heartbeat. Nobody answers.
func (c *Conn) Beat(tag string, b wire.Beat) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return translate(c.nats.Publish(names.SubjectBeat+tag, data))
}

// Greet sends a heartbeat and waits for what is to be said in the next one.
func (c *Conn) Greet(ctx context.Context, tag string, b wire.Beat) (wire.Echoed, error) {
	var e wire.Echoed
	data, err := json.Marshal(b)
	if err != nil {
		return e, err
	}
	m, err := c.nats.RequestWithContext(ctx, names.SubjectBeat+tag, data)
	if err != nil {
		return e, fmt.Errorf("beat: %w", translate(err))
	}
	if err := json.Unmarshal(m.Data, &e); err != nil {
		return e, fmt.Errorf("beat: %w", err)
	}
	return e, nil
}
