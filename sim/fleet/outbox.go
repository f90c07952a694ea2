package fleet

import (
	"maps"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// outbox is the agent's outbox, as it lies on the disk. The numbers of reports go on over all
// processes of the agent.
type outbox struct {
	host    *host
	epoch   string
	n       uint64
	waiting []letter
}

// letter is a report that is not acknowledged yet.
type letter struct {
	n    uint64
	id   string
	data []byte
}

// put keeps a report. It returns false when the disk is full.
func (o *outbox) put(r events.Report) bool {
	h := o.host
	if h.full() {
		return false
	}
	id := h.newID()
	if order, _, ends := events.EndsOrder(r); ends {
		id = "end-" + order
		if slices.ContainsFunc(o.waiting, func(l letter) bool { return l.id == id }) {
			return true
		}
	}
	r.SetHead(events.ReportHead{Machine: h.id, Epoch: o.epoch, N: o.n + 1})
	rec, err := events.New(events.Envelope{ID: id, Time: h.wall(), Actor: events.MachineTag(h.id)}, r)
	if err != nil {
		h.fail("machine %s cannot report %s: %v", h.id, r.Kind(), err)
	}
	data, err := events.Marshal(rec)
	if err != nil {
		h.fail("machine %s cannot report %s: %v", h.id, r.Kind(), err)
	}
	o.n++
	o.waiting = append(o.waiting, letter{o.n, id, data})
	h.tell("machine %s says %s (%d)", h.id, r.Kind(), o.n)
	if h.process != nil {
		o.send(h.process)
	}
	return true
}

// send sends the oldest report that waits, again and again until that is acknowledged.
func (o *outbox) send(p *process) {
	if !p.connected || p.sending || len(o.waiting) == 0 {
		return
	}
	p.sending = true
	l := o.waiting[0]
	answered := false
	copies := 1
	if p.fault(doubled) {
		copies = 2
	}
	for range copies {
		if p.fault(lost) {
			continue
		}
		p.after(p.delay(), func() {
			p.centre.report(p.host, l.data, func(a wire.ReportAnswer) {
				p.checks.acknowledged(p.host, l, a)
				if p.fault(ackLost) {
					return
				}
				p.later(p.delay(), func() {
					if !answered {
						answered = true
						o.answer(p, l, a)
					}
				})
			})
		})
	}
	p.later(10*time.Second, func() {
		if !answered {
			answered = true
			p.sending = false
			o.send(p)
		}
	})
}

func (o *outbox) answer(p *process, l letter, a wire.ReportAnswer) {
	p.sending = false
	switch a.Code {
	case "", wire.ReportDuplicate:
		if len(o.waiting) > 0 && o.waiting[0].n == l.n {
			o.waiting = o.waiting[1:]
		}
		o.send(p)
	case wire.ReportInvalid:
		p.fail("machine %s: its report is refused: %s", p.id, a.Text)
	default:
		p.later(p.between(100*time.Millisecond, 2*time.Second), func() { o.send(p) })
	}
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
