package decide

import (
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// Clones finds machines whose key two hosts have.
//
// Each process of an agent is an instance with an id of its own. The answer to each beat holds a
// nonce, and the instance echoes it in its next beat. On one host two instances never live at the same
// time: the lock of the data directory lets an agent begin only after the one before has ended. So an
// instance that echoes a nonce which it was given after a newer instance was seen lives on another
// host. A restart, a crash loop or an upgrade cannot look like that, because a process that has ended
// receives no nonce. A beat that was long on its way cannot either: its nonce is an old one.
//
// Clones is kept in memory only, since a new term learns the same within a few beats. The zero value
// knows nobody. It has no lock: whoever shares it locks it.
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
	nonce  string // what it was given last
	told   int    // how many instances had been seen when it was given that
}

// maxInstances is how many instances of a machine are remembered.
const maxInstances = 4

// Beat notes that an instance is alive. echo is the nonce that it echoes, which may be empty, and nonce is
// what it is given to echo next. clone says that two hosts beat under the machine's name.
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

// find gives the instance with that id, and notes a new one.
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

// Forget forgets the instances of a machine, so that after an approval the instance that beats first is
// the machine.
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
