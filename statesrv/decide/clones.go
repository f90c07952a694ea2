package decide

import (
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// Clones finds machines whose key two hosts have. Each process of an agent is an instance
// of its own; on one host, the lock of its data directory lets the next one begin only
// after the one before has ended. So an instance that says back something it was told
// after a newer one had been seen lives on another host. Neither a restart, a crash loop
// or an upgrade can do that, nor a message that was long on its way: the dead hear nothing.
//
// It is memory only, because a new term learns it again within a few beats. The zero value
// knows nobody. It has no lock: whoever shares it brings one.
type Clones struct{ machines map[string]*instances }

// instances are the processes that beat under the name of one machine.
type instances struct {
	seen  int // how many, ever
	known []instance
}

// instance is one of the newest processes of a machine; they are known oldest first.
type instance struct {
	id     string
	number int    // it was the number-th that was seen
	nonce  string // what it was told last
	told   int    // how many instances had been seen then
}

// maxInstances is how many instances of a machine are remembered.
const maxInstances = 4

// Beat notes that an instance is alive, which says back echo, and gives what it is to say
// back next. clone says that two hosts beat under the machine's name.
func (c *Clones) Beat(machine, id, echo, nonce string) (e wire.Echoed, clone bool) {
	if c.machines == nil {
		c.machines = map[string]*instances{}
	}
	m := c.machines[machine]
	if m == nil {
		m = &instances{}
		c.machines[machine] = m
	}
	i := m.find(id)
	clone = echo != "" && echo == i.nonce && i.told > i.number
	i.nonce, i.told = nonce, m.seen
	return wire.Echoed{Nonce: nonce, Again: m.seen > i.number}, clone
}

// find is the instance with that id, which is noted if it is new.
func (m *instances) find(id string) *instance {
	at := slices.IndexFunc(m.known, func(i instance) bool { return i.id == id })
	if at < 0 {
		m.seen++
		m.known = append(m.known, instance{id: id, number: m.seen})
		m.known = m.known[max(0, len(m.known)-maxInstances):]
		at = len(m.known) - 1
	}
	return &m.known[at]
}

// Forget begins anew: whoever comes first after an approval is the machine.
func (c *Clones) Forget(machine string) { delete(c.machines, machine) }

// Quarantine shuts a machine out, once: its open order is withdrawn first.
func Quarantine(at At, id, why string) (d Decision) {
	m := at.State.Machines[id]
	if m == nil || m.Life != projections.LifeAlive {
		return d
	}
	if o := at.State.Orders[id]; o != nil {
		d.Facts = append(d.Facts, Fact{Correlation: o.Upgrade, Payload: &events.OrderSuperseded{Order: o.ID, Machine: id, Reason: "the machine was shut out"}})
	}
	d.Facts = append(d.Facts, Fact{Payload: &events.MachineQuarantined{Machine: id, Code: events.CodeClone, Text: why}})
	return d
}

// TwoHosts is why a machine is shut out whose clone was found by its beats.
const TwoHosts = "two hosts beat under its name at the same time"
