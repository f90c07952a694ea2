package server

import (
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
)

// doorkeeper closes connections over the limits that NATS does not have: of one key, of one address
// before anybody has said who he is there, and of all addresses before that. NATS itself takes every
// connection until it has no file descriptors left, and keeps each for authTimeout.
//
// It looks at the list of connections, as often as that costs a twentieth of one processor at most.
// Of those over a limit the oldest go: somebody who connects in order to work is done with the
// handshake in a moment, and has only his newest connection in use.
type doorkeeper struct {
	nats     *natsd.Server
	accounts map[string]string // names by public key
	stop     chan struct{}
	stopped  chan struct{}
}

const (
	doorLook  = 200 * time.Millisecond // between two looks, at least
	doorShare = 20                     // a look takes one part in so many of the time
)

func (a *Accounts) keepDoor(nats *natsd.Server) *doorkeeper {
	d := &doorkeeper{nats: nats, accounts: map[string]string{}, stop: make(chan struct{}), stopped: make(chan struct{})}
	for name, id := range a.IDs {
		d.accounts[id] = name
	}
	go d.run()
	return d
}

func (d *doorkeeper) run() {
	defer close(d.stopped)
	pause := doorLook
	for {
		select {
		case <-d.stop:
			return
		case <-time.After(pause):
		}
		began := time.Now()
		d.look()
		pause = max(doorLook, doorShare*time.Since(began))
	}
}

// look closes what is over the limits now.
func (d *doorkeeper) look() {
	list, err := d.nats.Connz(&natsd.ConnzOptions{Username: true, Limit: limits.Connections})
	if err != nil {
		return // it stops
	}
	for _, cid := range d.over(list.Conns) {
		_ = d.nats.DisconnectClientByID(cid) // it may have gone by itself
	}
}

// over are the connections to close. list has the oldest first.
func (d *doorkeeper) over(list []*natsd.ConnInfo) (cids []uint64) {
	open := map[string]int{}
	for i := len(list) - 1; i >= 0; i-- { // the newest first: they stay
		c := list[i]
		for key, most := range d.counted(c) {
			if open[key]++; open[key] > most {
				cids = append(cids, c.Cid)
				break
			}
		}
	}
	return cids
}

// counted is under what a connection counts, and how many there may be of that.
func (d *doorkeeper) counted(c *natsd.ConnInfo) map[string]int {
	if c.AuthorizedUser == "" {
		if c.IP == "" { // within this process
			return nil
		}
		return map[string]int{"address " + c.IP: limits.HalfOpenOfAddress, "half open": limits.HalfOpen}
	}
	switch d.accounts[c.Account] {
	case names.AccountAgents:
		return map[string]int{c.AuthorizedUser: limits.ConnectionsOfMachine}
	case names.AccountOperators:
		return map[string]int{c.AuthorizedUser: limits.ConnectionsOfOperator}
	case names.AccountEnrol:
		return map[string]int{c.AuthorizedUser: limits.ConnectionsOfToken}
	}
	return nil
}

func (d *doorkeeper) close() {
	close(d.stop)
	<-d.stopped
}
