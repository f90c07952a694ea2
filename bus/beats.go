package bus

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// ServeBeats hands every heartbeat to f, one after another, until stop is called. tag is the
// machine's, "machine-3". answer is nil for a heartbeat that wants no answer (Beat), and is
// to be called for one that does (Greet).
func (c *Conn) ServeBeats(f func(tag string, b wire.Beat, answer func(wire.Echoed))) (stop func(), err error) {
	return c.subscribe(names.SubjectBeat+"*", limits.BeatBytes, func(m *nats.Msg) {
		var b wire.Beat
		tag := strings.TrimPrefix(m.Subject, names.SubjectBeat)
		if err := c.budgets.reports.take(tag, len(m.Data)); err != nil {
			c.garbage(m.Subject, err)
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

// Beat sends a heartbeat that nobody answers. Whether it arrived is not known.
func (c *Conn) Beat(tag string, b wire.Beat) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return translate(c.nats.Publish(names.SubjectBeat+tag, data))
}

// Greet sends a heartbeat and waits for the answer: what the next heartbeat is to echo.
func (c *Conn) Greet(ctx context.Context, tag string, b wire.Beat) (wire.Echoed, error) {
	var e wire.Echoed
	data, err := json.Marshal(b)
	if err != nil {
		return e, err
	}
	if err := c.request(ctx, names.SubjectBeat+tag, data, &e); err != nil {
		return e, fmt.Errorf("beat: %w", err)
	}
	return e, nil
}
