package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/jujube-project/jujube/bus/memlog"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
)

// centre is everything but the machines: the state servers, the log that republishes orders, and
// the stream of requests.
type centre struct {
	*world
	servers  []*server // those who believe that they lead; the last is the newest
	names    int
	snapshot []byte
	done     bool
}

// order is a record on a machine's order subject.
type order struct {
	seq     uint64
	payload events.Payload
}

// lead makes one more state server take the lease. The one that led before does not know yet, and
// finds out at its next append.
func (c *centre) lead() *server {
	from := projections.New()
	if c.snapshot != nil {
		var err error
		if from, err = projections.DecodeSnapshot(c.snapshot); err != nil {
			c.fail("the snapshot cannot be read: %v", err)
		}
	}
	c.names++
	s, err := c.serve(fmt.Sprintf("state-server-%d", c.names), from)
	if err != nil {
		c.fail("a state server cannot read the log: %v", err)
	}
	c.world.tell("state server %d leads from %d on", c.names, s.state().Seq)
	c.servers = append(c.servers, s)
	for i, ask := range c.asks {
		if uint64(i+1) >= decide.Reread(s.state()) {
			s.ask(uint64(i+1), "alice", ask)
			c.soon(s)
		}
	}
	return s
}

// killLeader kills every state server that believes it leads. What they had not written is lost.
func (c *centre) killLeader() {
	c.servers = nil
	c.after(c.between(time.Second, 15*time.Second), func() {
		if len(c.servers) == 0 {
			c.lead()
		}
	})
}

// commitEvery is how long a state server gathers changes for one batch.
func (c *centre) commitEvery() time.Duration {
	if c.cfg.Machines > 200 {
		return 250 * time.Millisecond
	}
	return 5 * time.Millisecond
}

// soon plans a commit of what a server gathers, unless one is planned already.
func (c *centre) soon(s *server) {
	if s.due {
		return
	}
	s.due = true
	c.after(c.commitEvery(), func() { c.commit(s) })
}

// commit lets a server write what it has gathered.
func (c *centre) commit(s *server) {
	s.due = false
	if !slices.Contains(c.servers, s) {
		return
	}
	switch {
	case c.fault(appendLost):
		c.log.Fail(nil, memlog.Lost)
	case c.fault(appendDoubt):
		c.log.Fail(nil, memlog.Unacked)
	}
	err := s.flush()
	c.checks.read()
	if err == nil {
		c.checks.committed(s.state())
		return
	}
	c.world.tell("a state server steps down: %v", err)
	c.servers = slices.DeleteFunc(c.servers, func(o *server) bool { return o == s })
	if len(c.servers) == 0 {
		c.killLeader()
	}
}

// report hands a machine's report to every state server that believes it leads.
func (c *centre) report(h *host, data []byte, answer func(wire.ReportAnswer)) {
	if !c.busUp() {
		return
	}
	for _, s := range c.servers {
		s.report(h.id, data, answer)
		c.soon(s)
	}
}

// ask stores an operator's request. The state server that leads judges it, now or later.
func (c *centre) ask(ask events.Ask) string {
	ask.ID, ask.Environment = c.newID(), environment
	ask.Created, ask.Expires = c.wall(), c.wall().Add(10*time.Minute)
	c.asks = append(c.asks, ask)
	for _, s := range c.servers {
		s.ask(uint64(len(c.asks)), "alice", ask)
		c.soon(s)
	}
	return ask.ID
}

// tick lets time pass for the state servers. They hear the beats of the machines that are
// connected.
func (c *centre) tick() {
	every := time.Second
	if c.cfg.Machines > 200 {
		every = 10 * time.Second
	}
	c.after(every, c.tick)
	for _, s := range c.servers {
		for _, h := range c.hosts {
			if h.process != nil && h.process.connected {
				s.beat(h.id)
			}
		}
		s.tick()
		c.soon(s)
	}
}

// state is what the newest leader has committed.
func (c *centre) state() *projections.State {
	if n := len(c.servers); n > 0 {
		return c.servers[n-1].state()
	}
	return projections.New()
}

// republish sends a record of the log to the machine that it is an order for.
func (c *centre) republish(rec events.Record, payload events.Payload, machine int) {
	h := c.hosts[machine]
	o := &order{rec.Seq, payload}
	h.newest = o
	p := h.process
	if p == nil || !p.connected || c.fault(lost) {
		return
	}
	p.later(c.delay(), func() { p.hear(o) })
	if c.fault(doubled) {
		p.later(c.delay(), func() { p.hear(o) })
	}
}
