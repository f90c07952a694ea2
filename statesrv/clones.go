package statesrv

import (
	"slices"
	"sync"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// clones finds machines whose key two hosts have. Each process of an agent is an instance
// of its own; on one host, the lock of its data directory lets the next one begin only
// after the one before has ended. So an instance that says back something it was told
// after a newer one had been seen lives on another host. Neither a restart, a crash loop
// or an upgrade can do that, nor a message that was long on its way: the dead hear nothing.
// It is memory only; a new term learns it again within a few beats.
type clones struct {
	mu       sync.Mutex
	machines map[string]*kin
}

// kin is the newest instances of one machine, oldest first.
type kin struct {
	seen int // instances, ever
	all  []life
}

type life struct {
	instance string
	number   int    // it was the number-th that was seen
	nonce    string // what it was told last
	told     int    // how many instances had been seen then
}

// maxLives is how many instances of a machine are remembered.
const maxLives = 4

func newClones() *clones { return &clones{machines: map[string]*kin{}} }

// greet notes that an instance is alive and gives what it is to say back.
func (c *clones) greet(machine, instance, echo, nonce string) (e wire.Echoed, clone bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.machines[machine]
	if m == nil {
		m = &kin{}
		c.machines[machine] = m
	}
	i := slices.IndexFunc(m.all, func(l life) bool { return l.instance == instance })
	if i < 0 {
		m.seen++
		m.all = append(m.all, life{instance: instance, number: m.seen})
		m.all = m.all[max(0, len(m.all)-maxLives):]
		i = len(m.all) - 1
	}
	l := &m.all[i]
	clone = echo != "" && echo == l.nonce && l.told > l.number
	l.nonce, l.told = nonce, m.seen
	return wire.Echoed{Nonce: nonce, Again: m.seen > l.number}, clone
}

// forget begins anew: whoever comes first after an approval is the machine.
func (c *clones) forget(machine string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.machines, machine)
}

// quarantine shuts a machine out, once.
func (t *term) quarantine(id, why string) {
	t.writer.submit(change{
		decide: func(d *draft) error { return decideQuarantine(d, id, why) },
		done: func(_ uint64, err error) {
			if err == nil {
				t.clones.forget(id)
			}
		},
	})
}

func decideQuarantine(d *draft, id, why string) error {
	m := d.state.Machines[id]
	if m == nil || m.Life != projections.LifeAlive {
		return nil
	}
	if o := d.state.Orders[id]; o != nil {
		if _, err := d.add("", "", o.Upgrade, &events.OrderSuperseded{Order: o.ID, Machine: id, Reason: "the machine was shut out"}); err != nil {
			return err
		}
	}
	_, err := d.add("", "", "", &events.MachineQuarantined{Machine: id, Code: events.CodeClone, Text: why})
	return err
}
