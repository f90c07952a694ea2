package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/nats-io/nats.go"
)

// Report is what a machine's agent tells, as a state server receives it.
type Report struct {
	Machine string // tag, "machine-3", from the subject: NATS let only its holder publish
	Data    []byte // an encoded events.Record
	Answer  func(ReportAnswer)
}

// ReportAnswer ends a report. Code is empty when it is on disk at Seq.
type ReportAnswer struct {
	Seq  uint64 `json:"seq,omitempty"`
	Code string `json:"code,omitempty"`
	Text string `json:"text,omitempty"`
}

// Codes of a ReportAnswer.
const (
	ReportDuplicate = "duplicate" // stored before; forget it
	ReportInvalid   = "invalid"   // never send it again
	ReportRetry     = "retry"     // later
)

// Beat is a heartbeat: a process is alive. It is kept in memory only.
type Beat struct {
	Version string `json:"version"`
	Seq     uint64 `json:"seq"` // newest order seen
	PID     int    `json:"pid"`

	Log      tree.Head `json:"log,omitzero"`       // what of the log the machine has seen and believed last
	Instance string    `json:"instance,omitempty"` // of the process: another one, another instance
	Echo     string    `json:"echo,omitempty"`     // the Nonce of the newest Echoed that this process got
}

// Echoed answers a heartbeat that asks for it.
type Echoed struct {
	Nonce string `json:"nonce"`
	Again bool   `json:"again,omitempty"` // say it back at once: somebody else beats under this name
}

// ServeReports hands every report to f until stop is called. f must not block for long:
// it queues the report and answers later.
func (c *Conn) ServeReports(f func(Report)) (stop func(), err error) {
	return c.subscribe(subjectReport+"*", limits.ReportBytes, func(m *nats.Msg) {
		tag := strings.TrimPrefix(m.Subject, subjectReport)
		if !c.rates.allow(tag) {
			c.garbage(m.Subject, ErrTooOften)
			c.answer(m, ReportAnswer{Code: ReportRetry, Text: ErrTooOften.Error()})
			return
		}
		f(Report{
			Machine: tag, Data: m.Data,
			Answer: func(a ReportAnswer) { c.answer(m, a) },
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
func (c *Conn) Report(ctx context.Context, tag string, rec events.Record) (ReportAnswer, error) {
	data, err := events.Marshal(rec)
	if err != nil {
		return ReportAnswer{}, fmt.Errorf("report %s: %w", rec.Kind, err)
	}
	if len(data) > limits.ReportBytes {
		return ReportAnswer{}, fmt.Errorf("report %s: %w: %d bytes, limit %d", rec.Kind, ErrTooLarge, len(data), limits.ReportBytes)
	}
	var a ReportAnswer
	m, err := c.nats.RequestWithContext(ctx, subjectReport+tag, data)
	if err == nil {
		err = json.Unmarshal(m.Data, &a)
	}
	if err != nil {
		return ReportAnswer{}, fmt.Errorf("report %s: %w", rec.Kind, translate(err))
	}
	return a, nil
}

// ServeBeats hands every heartbeat to f until stop is called. answer is nil for one that
// wants none.
func (c *Conn) ServeBeats(f func(tag string, b Beat, answer func(Echoed))) (stop func(), err error) {
	return c.subscribe(subjectBeat+"*", limits.BeatBytes, func(m *nats.Msg) {
		var b Beat
		tag := strings.TrimPrefix(m.Subject, subjectBeat)
		if !c.rates.allow(tag) {
			c.garbage(m.Subject, ErrTooOften)
			return
		}
		if err := json.Unmarshal(m.Data, &b); err != nil {
			c.garbage(m.Subject, err)
			return
		}
		var answer func(Echoed)
		if m.Reply != "" {
			answer = func(e Echoed) { c.answer(m, e) }
		}
		f(tag, b, answer)
	})
}

// Beat sends a heartbeat. Nobody answers.
func (c *Conn) Beat(tag string, b Beat) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return translate(c.nats.Publish(subjectBeat+tag, data))
}

// Greet sends a heartbeat and waits for what is to be said in the next one.
func (c *Conn) Greet(ctx context.Context, tag string, b Beat) (Echoed, error) {
	var e Echoed
	data, err := json.Marshal(b)
	if err != nil {
		return e, err
	}
	m, err := c.nats.RequestWithContext(ctx, subjectBeat+tag, data)
	if err != nil {
		return e, fmt.Errorf("beat: %w", translate(err))
	}
	if err := json.Unmarshal(m.Data, &e); err != nil {
		return e, fmt.Errorf("beat: %w", err)
	}
	return e, nil
}
