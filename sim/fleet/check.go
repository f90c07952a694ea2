package fleet

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// checks is what must always hold. It reads the log as the log grows.
type checks struct {
	*world
	tail    uint64 // sequence up to which the log was read
	orders  map[string]*fate
	open    map[string]string          // machine → open upgrade order
	limit   int                        // upgrade-max-in-flight
	keeps   map[string]map[string]bool // machine → versions that it kept at some time
	commits int
}

// fate is what became of an order.
type fate struct {
	machine  string
	accepted bool
	ends     []string // kinds of its terminal records
}

func newChecks(w *world) *checks {
	return &checks{world: w, orders: map[string]*fate{}, open: map[string]string{}, limit: 10, keeps: map[string]map[string]bool{}}
}

// started checks a version that a launcher starts. It is complete. It is the good version or the
// one on trial. It is not older than a version whose steps were taken and cannot be undone.
func (c *checks) started(h *host, b *release) {
	j, name := h.disk.journal, b.Version.String()
	if name != j.Good && (j.Phase != install.PhaseTrial || j.Order == nil || name != j.Order.Tools.Version.String()) {
		c.fail("%v: it starts %s, which is neither good nor on trial", h, name)
	}
	if b.Version.Number.Compare(h.disk.crossed) < 0 {
		c.fail("%v: it starts %s although a step of %s cannot be undone", h, name, h.disk.crossed)
	}
}

// saved checks a journal that was written: the good version that it names is on the disk.
func (c *checks) saved(h *host, j install.Journal) {
	if h.disk.builds[j.Good] == nil {
		c.fail("%v: its journal would name %s as good, which is not there", h, j.Good)
	}
}

// removed checks a version that is removed: neither the journal nor the link names it.
func (c *checks) removed(h *host, name string) {
	j := h.disk.journal
	if name == j.Good || name == j.Last || j.Order != nil && name == j.Order.Tools.Version.String() {
		c.fail("%v: %s is removed", h, name)
	}
}

// kept notes that a launcher keeps a version.
func (c *checks) kept(h *host, b *release) {
	if c.keeps[h.id] == nil {
		c.keeps[h.id] = map[string]bool{}
	}
	c.keeps[h.id][b.Version.String()] = true
}

// acknowledged checks an answer to a report: what was answered as stored lies in the log at that
// sequence.
func (c *checks) acknowledged(h *host, l letter, a wire.ReportAnswer) {
	if a.Code != "" {
		return
	}
	for rec, err := range c.log.Read(context.Background(), a.Seq, a.Seq) {
		if err != nil {
			c.fail("machine %s: report %d is answered with %d, and the log says %v", h.id, l.n, a.Seq, err)
		}
		payload, err := events.Decode(rec)
		r, ok := payload.(events.Report)
		if err != nil || !ok || r.Head().Machine != h.id || r.Head().N != l.n {
			c.fail("machine %s: report %d is answered with %d, and there lies %s", h.id, l.n, a.Seq, rec.Kind)
		}
	}
}

// read reads the new records of the log and checks them. Each order ends once. There are never more
// open orders than allowed. No machine is called upgraded that did not keep the version.
func (c *checks) read() {
	last, err := c.log.Last(context.Background())
	if err != nil {
		c.fail("the log: %v", err)
	}
	for rec, err := range c.log.Read(context.Background(), c.tail+1, last) {
		if err != nil {
			c.fail("the log at %d: %v", rec.Seq, err)
		}
		c.tail = rec.Seq
		payload, err := events.Decode(rec)
		if err != nil {
			c.fail("the log at %d: %v", rec.Seq, err)
		}
		if c.cfg.Trace {
			c.world.tell("log %d: %s %s", rec.Seq, rec.Kind, rec.Entity)
		}
		c.record(rec, payload)
		if tag, ok := strings.CutPrefix(rec.Entity, "order.machine-"); ok {
			if n, err := strconv.Atoi(strings.TrimSuffix(tag, ".agent")); err == nil {
				c.centre.republish(rec, payload, n)
			}
		}
	}
}

func (c *checks) record(rec events.Record, payload events.Payload) {
	order, _, ends := events.EndsOrder(payload)
	if ends {
		c.ended(rec, order)
	}
	switch p := payload.(type) {
	case *events.SettingChanged:
		if p.Key == "upgrade-max-in-flight" {
			c.limit, _ = strconv.Atoi(p.Value)
		}
	case *events.OrderIssued:
		c.issued(rec, p.Order, p.Machine)
		if c.open[p.Machine] = p.Order; len(c.open) > c.limit {
			c.fail("%d orders are open at %d, at most %d may be", len(c.open), rec.Seq, c.limit)
		}
		if _, server := c.open["0"]; server && p.Machine != "0" {
			c.fail("machine %s is ordered at %d beside a state server", p.Machine, rec.Seq)
		}
	case *events.UpgradeCompleted:
		for _, h := range c.hosts {
			if !c.keeps[h.id][p.Version.String()+"-trusty-amd64"] {
				c.fail("the upgrade to %s is called complete at %d, and %v", p.Version, rec.Seq, h)
			}
		}
	case *events.RestartOrdered:
		c.issued(rec, p.Order, p.Machine)
	case *events.AgentUpgraded:
		if !c.keeps[p.Machine][p.Version.String()] && p.Version != c.releases[0].Version {
			c.fail("machine %s is called upgraded to %s at %d and never kept it", p.Machine, p.Version, rec.Seq)
		}
	case events.OrderReport:
		if f := c.orders[p.OrderID()]; f != nil && !ends {
			f.accepted = true
		}
	}
}

func (c *checks) issued(rec events.Record, order, machine string) {
	if c.orders[order] != nil {
		c.fail("order %s is issued again at %d", order, rec.Seq)
	}
	c.orders[order] = &fate{machine: machine}
}

func (c *checks) ended(rec events.Record, order string) {
	f := c.orders[order]
	if f == nil {
		c.fail("order %s ends at %d and was never issued", order, rec.Seq)
	}
	if f.ends = append(f.ends, rec.Kind); len(f.ends) > 1 {
		c.fail("order %s of machine %s ends %v at %d", order, f.machine, f.ends, rec.Seq)
	}
	if c.open[f.machine] == order {
		delete(c.open, f.machine)
	}
}

// committed checks, now and then, the state of a server that has written: it is the fold of the
// log, and its snapshot is read back as the same state.
func (c *checks) committed(s *projections.State) {
	if s.Seq > c.tail {
		c.fail("the writer is at %d, the log at %d", s.Seq, c.tail)
	}
	if s.Seq < c.tail {
		return // another server leads, and this one had nothing to write
	}
	c.commits++
	every := 400
	if c.cfg.Machines > 200 {
		every = 1500
	}
	if c.commits%every != 0 {
		return
	}
	if c.cfg.Machines <= 200 {
		c.sameAsScratch(s)
	}
	c.centre.snapshot = projections.EncodeSnapshot(s)
}

func (c *checks) sameAsScratch(s *projections.State) {
	scratch := projections.New()
	for rec, err := range c.log.Read(context.Background(), 1, c.tail) {
		if err != nil {
			c.fail("the log: %v", err)
		}
		scratch.Fold(rec)
	}
	if scratch.Digest() != s.Digest() {
		c.fail("at %d the state is not the fold of the log", c.tail)
	}
}

// settled says whether every machine runs the release, has no order in work, and has no report to
// send any more.
func (c *checks) settled(r *release) bool {
	for _, h := range c.hosts {
		if p := h.process; p == nil || p.build != r || h.disk.journal.Phase != install.PhaseIdle || len(h.disk.outbox.waiting) > 0 {
			return false
		}
	}
	return true
}

// end checks what must hold at the end. Each order that was issued has ended once. The status shows
// what machines really run. The state is the fold of the log.
func (c *checks) end() {
	s := c.centre.state()
	for _, id := range sortedNames(c.orders) {
		if f := c.orders[id]; len(f.ends) != 1 {
			c.fail("order %s of machine %s, accepted %v, ended %v", id, f.machine, f.accepted, f.ends)
		}
	}
	for _, h := range c.hosts {
		m := s.Machines[h.id]
		if m.Version != h.process.build.Version || m.Lost {
			c.fail("status says that machine %s runs %s (lost %v); it runs %s", h.id, m.Version, m.Lost, h.process.build.Version)
		}
		if h.disk.reached != m.Version.Number || h.disk.begun != (version.Number{}) {
			c.fail("machine %s runs %s; its upgrade steps are at %s, begun %s", h.id, m.Version, h.disk.reached, h.disk.begun)
		}
		if n := len(h.disk.builds); n > 3 {
			c.fail("machine %s keeps %d versions", h.id, n)
		}
	}
	c.sameAsScratch(s)
}

// stuck names the machines and orders that have not come to an end.
func (c *checks) stuck() string {
	var b strings.Builder
	s := c.centre.state()
	fmt.Fprintf(&b, "environment at %s, %d open orders, %d lead", s.AgentVersion, len(s.Orders), len(c.centre.servers))
	if u := s.Upgrade; u != nil {
		fmt.Fprintf(&b, ", upgrade to %s halted %v", u.To, u.Halted)
	}
	last := c.releases[len(c.releases)-1]
	shown := 0
	for _, h := range c.hosts {
		if h.process == nil || h.process.build != last || h.disk.journal.Phase != install.PhaseIdle || len(h.disk.outbox.waiting) > 0 {
			if shown++; shown <= 5 {
				fmt.Fprintf(&b, "\n%v", h)
				if m := s.Machines[h.id]; m != nil {
					fmt.Fprintf(&b, "; by the state it runs %s, lost %v, adrift %q, no return %v, order %v", m.Version, m.Lost, m.Adrift, m.NoReturn, s.Orders[h.id])
				}
			}
		}
	}
	for i := len(c.asks); i > max(0, len(c.asks)-3); i-- {
		fmt.Fprintf(&b, "\nrequest %s: %+v", c.asks[i-1].Action, s.Requests[c.asks[i-1].ID])
	}
	return b.String()
}
