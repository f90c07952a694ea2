package statesrv_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/bustest"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv"
)

// onSmallDisk starts an environment whose NATS keeps its files on a small disk.
func onSmallDisk(t *testing.T) (*place, *bustest.Disk) {
	t.Helper()
	disk := bustest.SmallDisk(t, "96m")
	p := newPlaceOn(t, bustest.StartWith(t, func(c *server.Config) { c.StoreDir = disk.Dir }))
	p.start(func(c *statesrv.Config) { c.StoreDir, c.Reopen = disk.Dir, p.bus.Server.Reopen })
	return p, disk
}

// stopped is why the state server writes nothing.
func (p *place) stopped() *events.Reason {
	p.Helper()
	var v wire.Running
	p.query("version", nil, &v)
	return v.Stopped
}

// changed is how a request to change a setting is decided.
const changed = "request.received/1 setting.changed/1"

// store stores a request, as a client does that waits for a moment.
func (p *place) store(ask events.Ask) error {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), time.Second)
	defer cancel()
	_, err := p.alice.PublishRequest(ctx, p.alice.Identity(), ask)
	return err
}

// requestsUntilNATSFails stores requests on a full disk until one is not taken: what remains of the last
// block of a file still takes some.
func (p *place) requestsUntilNATSFails() (stored []events.Ask, failed events.Ask) {
	p.Helper()
	for range 200 {
		now := time.Now()
		ask := events.Ask{
			Action: events.ActionSetEnv, SetEnv: map[string]string{"agent-lost-after": "31s"}, ID: newID(), Environment: bustest.Environment,
			Created: now, Until: now.Add(events.MaxRequestLife), Expires: now.Add(5 * time.Minute),
		}
		if p.store(ask) != nil {
			return stored, ask
		}
		stored = append(stored, ask)
	}
	p.Fatal("NATS takes every request on a full disk")
	return nil, events.Ask{}
}

// Somebody fills the disk to the last byte. The state server says so, answers every question, and goes on by
// itself when there is room, although NATS itself had failed to write meanwhile.
func TestB14AFullDiskStopsWritesUntilThereIsRoom(t *testing.T) {
	p, disk := onSmallDisk(t)
	token := p.token(events.AskAddMachine{})
	before := p.state().Seq
	disk.Fill(0)
	if _, err := p.newHost(token).enrol(token); code(err) != events.CodeDiskFull {
		t.Fatalf("an enrolment on a full disk: %v", err)
	}
	waiting, last := p.requestsUntilNATSFails()
	// The lease, which lasts a second, could not be renewed for two, and reads go on.
	for began := time.Now(); time.Since(began) < 2*time.Second; {
		asked := time.Now()
		if got := p.state().Seq; got != before {
			t.Fatalf("the log ended at %d, and ends at %d", before, got)
		}
		if why := p.stopped(); why == nil || why.Code != events.CodeDiskFull {
			t.Fatalf("it says %v", why)
		}
		if took := time.Since(asked); took > 5*time.Second {
			t.Fatalf("the questions took %v", took)
		}
	}
	disk.Empty()
	for p.store(last) != nil { // as a client does
	}
	for _, ask := range append(waiting, last) {
		if got := p.decision(ask.ID); got != changed {
			t.Fatalf("a request that waited is %q", got)
		}
	}
	if why := p.stopped(); why != nil {
		t.Fatalf("with room again it says %v", why)
	}
	if _, err := p.newHost(token).enrol(token); err != nil {
		t.Fatalf("an enrolment with room again: %v", err)
	}
	p.state()
}

// At limits.DiskFloor the state server writes; a page below it writes nothing, keeps what was asked, and
// does it when limits.DiskAgain is free.
func TestB14TheLastOfTheDiskIsKept(t *testing.T) {
	p, disk := onSmallDisk(t)
	set := func(value string) events.Ask {
		return events.Ask{Action: events.ActionSetEnv, SetEnv: map[string]string{"agent-lost-after": value}}
	}
	disk.Fill(limits.DiskFloor + 1<<20)
	if _, got := p.ask(set("31s")); got != changed || p.stopped() != nil {
		t.Fatalf("at the floor the request is %q", got)
	}
	disk.Fill(limits.DiskFloor - 1)
	for p.stopped() == nil { // the writer looks before each batch
	}
	waiting := set("32s")
	waiting.ID, waiting.Environment, waiting.Created, waiting.Expires = newID(), bustest.Environment, time.Now(), time.Now().Add(time.Minute)
	if err := p.store(waiting); code(err) != events.CodeDiskFull {
		t.Fatalf("a request is stored in what is kept of the disk: %v", err)
	}
	p.bus.StoreRequest(p.alice.Identity(), waiting)
	disk.Empty()
	disk.Fill(limits.DiskAgain - 1)
	if why := p.stopped(); why == nil {
		t.Fatal("it goes on below the second limit")
	}
	disk.Empty()
	if got := p.decision(waiting.ID); got != changed {
		t.Fatalf("the request that waited is %q", got)
	}
}

func TestAFullDiskIsNotFilled(t *testing.T) {
	p, _ := onSmallDisk(t)
	a, data := big(t, "1.25.1")
	err := p.upload(a, data)
	if err == nil || !strings.Contains(err.Error(), bus.ErrNoSpace.Error()) || limits.UploadReserve <= 96<<20 {
		t.Fatalf("with a disk of 96 MiB: %v", err)
	}
}
