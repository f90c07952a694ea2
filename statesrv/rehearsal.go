package statesrv

import (
	"bytes"
	"context"
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// Rehearsal is one term of a state server without bus, goroutines, disk or a clock of its
// own: the very decisions and the very writer, driven by hand. Simulated fleets use it; no
// server does. It is not safe for concurrent use.
type Rehearsal struct{ t *term }

// Rehearse takes up the state, which is the fold of the log up to its Seq, and reads the
// rest of the log of environment. now is the server's clock; newID gives ids that were never given out.
func Rehearse(ctx context.Context, log events.Log, environment, name string, from *projections.State, now func() time.Time, newID func() string) (*Rehearsal, error) {
	s := &Server{cfg: Config{Name: name, Environment: environment, Now: now, NewID: newID, Logger: slog.New(slog.DiscardHandler)}, log: log}
	s.metrics = newMetrics(s.waiting)
	signer, err := rehearsalKey(environment)
	if err != nil {
		return nil, err
	}
	k := newKeeper(environment, signer, s.cfg.Logger)
	last, err := log.Last(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.readLog(ctx, from, k, last); err != nil {
		return nil, err
	}
	t := &term{Server: s, ctx: ctx, keeper: k, presence: newPresence(now())}
	t.authentic = func(*projections.Machine, events.Record) error { return nil }
	t.signed = func(tools.Tools) error { return nil }
	t.tools = newToolbox(nil, nil, now, s.cfg.Logger)
	t.writer = &writer{
		log: log, queue: make(chan change, queueLength), ended: make(chan struct{}), state: from, plan: t.planUpgrade, kept: k.committed, stored: func(*projections.State) { k.passed(now()) },
		newID: newID, now: now, actor: name, metrics: s.metrics, logger: s.cfg.Logger,
		pause: func(context.Context, time.Duration) error { return nil },
	}
	return &Rehearsal{t}, nil
}

// rehearsalKey is the same log key in every rehearsal of an environment: nobody but the
// story believes it.
func rehearsalKey(environment string) (*tree.Signer, error) {
	private, _, err := tree.NewKey(bytes.NewReader(make([]byte, 64)), environment)
	if err != nil {
		return nil, err
	}
	return tree.NewSigner(environment, private)
}

// State is what is committed. It belongs to the rehearsal.
func (r *Rehearsal) State() *projections.State { return r.t.writer.state }

// Record queues facts from before the story begins: an environment, its machines.
func (r *Rehearsal) Record(payloads ...events.Payload) {
	r.t.writer.submit(change{decide: func(d *draft) error {
		for _, p := range payloads {
			if _, err := d.add("", "", "", p); err != nil {
				return err
			}
		}
		return nil
	}})
}

// Report queues what a machine sent.
func (r *Rehearsal) Report(machine string, data []byte, answer func(wire.ReportAnswer)) {
	r.t.onReport(bus.Report{Machine: events.MachineTag(machine), Data: data, Answer: answer})
}

// Beat is a sign of life.
func (r *Rehearsal) Beat(machine string) { r.t.presence.heard(machine, r.t.cfg.Now()) }

// Ask queues an operator's request, as the message seq of the stream of requests; its
// signature is taken for granted. One that was judged is not judged again.
func (r *Rehearsal) Ask(seq uint64, operator string, ask events.Ask) {
	r.t.writer.submit(change{decide: func(d *draft) error {
		if seq <= d.state.RequestsSeq {
			return nil
		}
		q := &inquiry{
			state: d.state, now: d.now, ask: ask, newID: d.newID, knowledge: r.t.knowledge(d.state),
			by:  events.Operator{Name: operator, Grants: []events.Grant{{Role: events.RoleAdmin}}},
			req: events.Request{ID: ask.ID, Action: ask.Action, Operator: operator, Created: ask.Created, Signed: []byte("{}")},
		}
		q.ask.Until = ask.Created.Add(events.MaxRequestLife)
		if list, err := q.list(); err == nil {
			if q.ask.Machines, err = list.Signed(); err != nil {
				return err
			}
		}
		return q.record(d, seq, judge(q))
	}})
}

// Tick lets time pass: silence and deadlines.
func (r *Rehearsal) Tick() { r.t.writer.submit(change{decide: r.t.pass}) }

// Commit writes what is queued, in batches as a server would, and answers. An error ends
// the term: another one has written, or the log is gone.
func (r *Rehearsal) Commit(ctx context.Context) error {
	w := r.t.writer
	for {
		select {
		case first := <-w.queue:
			if err := w.step(ctx, first); err != nil {
				w.drain()
				return err
			}
		default:
			return nil
		}
	}
}
