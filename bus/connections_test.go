package bus_test

import (
	"net"
	"net/url"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/events/limits"
)

// until waits for a condition.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(30 * time.Second); !f(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(what)
		}
	}
}

// B24: 22,000 connections of somebody who says nothing used up the file descriptors of the state server,
// and nobody else connected for twelve seconds.
func TestB24HalfOpenConnectionsAreFew(t *testing.T) {
	b := bustest.Start(t)
	u, err := url.Parse(b.URLs[0])
	if err != nil {
		t.Fatal(err)
	}
	var closed atomic.Int64
	const more = 100
	for range limits.HalfOpenOfAddress + more {
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		go func() {
			if _, err := c.Read(make([]byte, 1)); err != nil {
				closed.Add(1)
			}
		}()
	}
	began := time.Now()
	b.Agent("machine-3") // it connects all the same
	t.Logf("an honest machine connects in %v", time.Since(began))
	until(t, "B24: connections of which nobody says who connects are kept", func() bool { return closed.Load() >= more })
	if n := closed.Load(); n > more+1 && time.Since(began) < 10*time.Second {
		t.Errorf("B24: %d are closed, more than are too many", n)
	}
}

// B11, B24: one key has a few connections, and others are not counted with it. The newest stay.
func TestB24ConnectionsOfOneKey(t *testing.T) {
	b := bustest.Start(t)
	for name, c := range map[string]struct {
		sign func(string) (string, error)
		most int
	}{
		"machine": {agentRole(b, "machine-3"), limits.ConnectionsOfMachine}, "operator": {operatorRole(b), limits.ConnectionsOfOperator},
	} {
		creds, _ := b.Credentials(c.sign)
		var all []*nats.Conn
		open := func() (n int) {
			for _, nc := range all {
				if nc.IsConnected() {
					n++
				}
			}
			return n
		}
		connect := func() {
			nc, err := nats.Connect(b.URLs[0], nats.UserJWTAndSeed(creds.JWT, creds.Seed), nats.RootCAs(b.Authorities), nats.TLSHandshakeFirst(),
				nats.NoReconnect())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(nc.Close)
			all = append(all, nc)
		}
		for range c.most {
			connect()
		}
		other := b.Agent("machine-4")
		connect()
		until(t, "B24: one connection more than "+name+" may have stays", func() bool { return open() == c.most })
		if all[0].IsConnected() || !all[c.most].IsConnected() || !other.Connected() {
			t.Errorf("B24: %s: it is not the oldest connection that goes", name)
		}
	}
}

// stall is a connection that stops to read.
type stall struct {
	net.Conn
	stalled chan struct{}
}

func (s stall) Read(b []byte) (int, error) {
	select {
	case <-s.stalled:
		select {} // until the test ends
	default:
		return s.Conn.Read(b)
	}
}

type stallDialer struct{ stalled chan struct{} }

func (d stallDialer) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	if err == nil {
		err = c.(*net.TCPConn).SetReadBuffer(4096)
	}
	return stall{c, d.stalled}, err
}

// B11: a machine asks for archives on thirty connections and reads none of them. That was 3.5 GB in the state
// server.
func TestB11WhoDoesNotReadFillsNoMemory(t *testing.T) {
	was := debug.SetGCPercent(40) // as a state server has it
	t.Cleanup(func() { debug.SetGCPercent(was) })
	b := bustest.Start(t)
	state, _, _ := raw(t, b, stateServerRole(b))
	for range 33 {
		if _, err := state.Request("$O.tools.C.x", make([]byte, 1000<<10), 20*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse)
	}
	runtime.GC()
	before, most := heap(), int64(0)
	creds, id := b.Credentials(agentRole(b, "machine-3"))
	stalled := make(chan struct{})
	var all []*nats.Conn
	for range 30 {
		nc, err := nats.Connect(b.URLs[0], nats.UserJWTAndSeed(creds.JWT, creds.Seed), nats.RootCAs(b.Authorities), nats.TLSHandshakeFirst(),
			nats.NoReconnect(), nats.SetCustomDialer(stallDialer{stalled}), nats.CustomInboxPrefix("_INBOX."+id.Public()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := nc.SubscribeSync("_INBOX." + id.Public() + ".x"); err != nil {
			t.Fatal(err)
		}
		all = append(all, nc)
	}
	close(stalled)
	for range 4 {
		for _, nc := range all {
			_ = nc.PublishRequest("$JS.API.DIRECT.GET.OBJ_tools", "_INBOX."+id.Public()+".x", []byte(`{"seq":1,"batch":400,"max_bytes":60000000}`))
			go func() { _ = nc.FlushTimeout(time.Second) }()
			most = max(most, heap())
		}
	}
	b.Agent("machine-4") // it connects all the same
	kept := func() int64 {
		most = max(most, heap())
		runtime.GC()
		return heap() - before
	}
	until(t, "B11: the heap stays large", func() bool { return kept() < 100<<20 })
	t.Logf("B11: the heap grew by %d MiB, and then was %d MiB larger than before", (most-before)>>20, kept()>>20)
	if most-before > 1<<30 { // 0.2 GB, on a busy machine 0.5 GB; 3.4 GB without limits
		t.Error("B11: that is too much")
	}
}
