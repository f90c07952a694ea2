package fleet

import (
	"fmt"
	"strconv"
	"time"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/trial"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// host is one machine: its disk, which outlives everything, and what runs on it.
type host struct {
	*world
	id   string
	disk disk

	on        bool
	boot      int // counts the boots
	booted    time.Duration
	skew      time.Duration // of the wall clock
	fullUntil time.Duration // until then the disk is full

	run     int // grows at every start and every end of a process, so that what an ended process planned does not happen
	crashes int
	process *process // nil: none runs
	newest  *order   // the newest record on the machine's order subject
}

// disk is what is durable. The product syncs everything that it writes before it goes on, so a
// power cut loses nothing of it. (Package agent/install tests that with crashfs.)
type disk struct {
	journal install.Journal
	link    string
	builds  map[string]*release // complete versions, by name
	reached version.Number
	begun   version.Number
	crossed version.Number // release of the newest step that was taken and cannot be undone
	part    string         // digest of the archive that is being downloaded
	left    int            // how many pieces of that archive are missing
	outbox  outbox
}

// Times of a launcher: the defaults of launcher.Timing.
const (
	readyTime = 30 * time.Second
	trialTime = 90 * time.Second
	settle    = 5 * time.Minute
	attempts  = 3
)

// power turns the host on.
func (h *host) power() {
	if h.on {
		return
	}
	h.on, h.booted = true, h.now
	h.boot++
	h.tell("machine %s boots", h.id)
	h.start()
}

// powerCut turns the host off, and on again after some time.
func (h *host) powerCut(off time.Duration) {
	if !h.on {
		return
	}
	h.tell("machine %s loses power", h.id)
	h.on = false
	h.end()
	h.after(off, h.power)
}

// end ends the process, if one runs, and everything that the process had begun.
func (h *host) end() {
	h.run++
	h.process = nil
}

// start is what the launcher does before a start. A kill or a power cut can end it between any two
// steps.
func (h *host) start() {
	if !h.on || h.process != nil {
		return
	}
	h.run++
	j := &h.disk.journal
	v := trial.Decide(*j, h.disk.link, trial.Moment{BootID: strconv.Itoa(h.boot), Since: h.now - h.booted}, attempts)
	if v.Back != nil {
		h.tell("machine %s goes back to %s: %s", h.id, j.Good, v.Back.Text)
		h.point(j.Good)
		if h.cut() {
			return
		}
		*j = trial.RolledBack(*j, *v.Back)
	} else {
		if v.Switch != "" {
			h.point(v.Switch)
		}
		if h.cut() {
			return
		}
		*j = v.Journal
	}
	if h.cut() {
		return
	}
	h.spawn()
}

// cut ends the launcher's work here if the run draws a kill or a power cut, and says whether it
// did.
func (h *host) cut() bool {
	switch {
	case h.fault(powerCut):
		h.powerCut(h.between(time.Second, 5*time.Minute))
		return true
	case h.fault(launcherCut):
		h.restartIn(time.Second)
		return true
	}
	return false
}

func (h *host) restartIn(d time.Duration) {
	run := h.run
	h.after(d, func() {
		if h.run == run {
			h.start()
		}
	})
}

// point makes the link point to a version, which must be complete.
func (h *host) point(name string) {
	if h.disk.builds[name] == nil {
		h.fail("machine %s: its link would name %s, which is not there", h.id, name)
	}
	h.disk.link = name
}

// spawn starts the version that the link names. How far the process comes depends on the behaviour
// of its release.
func (h *host) spawn() {
	b := h.disk.builds[h.disk.link]
	if b == nil {
		h.fail("machine %s is a brick: its link names %q", h.id, h.disk.link)
	}
	h.checks.started(h, b)
	onTrial := h.disk.journal.Phase == install.PhaseTrial
	p := &process{host: h, build: b, trial: onTrial, order: h.disk.journal.Order, born: h.now}
	h.process = p
	h.run++
	p.run = h.run
	h.tell("machine %s starts %s (%s), trial %v", h.id, b.Version, b.is, onTrial)
	switch b.is {
	case crashes, bridgeCrashes:
		switch {
		case b.is == crashes:
			p.dies(h.between(10*time.Millisecond, time.Second), "it exited with code 1")
		case h.disk.crossed == b.Version.Number:
			p.dies(h.between(4*time.Second, 9*time.Second), "it exited with code 1")
		}
	case crashesLater:
		p.dies(h.between(time.Second, 8*time.Second), "panic: oh")
	case crashesAlways:
		p.dies(30*time.Second, "panic: much later")
	case fickle:
		if h.rnd.IntN(2) == 0 {
			p.dies(h.between(10*time.Millisecond, 8*time.Second), "panic: sometimes")
		}
	case hangs:
		p.dies(readyTime, "it was not ready within 30s")
		return
	}
	p.later(h.between(50*time.Millisecond, 500*time.Millisecond), p.begin)
	if onTrial {
		p.later(readyTime+trialTime, p.deadline)
	}
}

// kill ends the process. why is the reason that the launcher writes down.
func (h *host) kill(why string) {
	p := h.process
	if p == nil {
		return
	}
	h.tell("machine %s: %s ended: %s", h.id, p.build.Version, why)
	run := trial.Run{Version: p.build.Version.String(), Lasted: h.now - p.born}
	run.Failure = events.Failure{Step: "trial", Cause: events.CauseVersion, Code: "crashed", Text: why}
	next, back := trial.Ended(h.disk.journal, run, attempts, settle)
	if back {
		h.tell("machine %s goes back to %s: %s", h.id, next.Good, next.Failure.Text)
		h.point(next.Good)
	}
	h.disk.journal = next
	h.end()
	pause := 250 * time.Millisecond
	if !p.trial || h.disk.journal.Trial != nil && h.disk.journal.Trial.Attempts > attempts {
		h.crashes++
		pause = min(time.Second<<min(h.crashes-1, 6), time.Minute)
	}
	h.restartIn(pause)
}

// full says whether the disk is full now.
func (h *host) full() bool { return h.now < h.fullUntil }

// clock is the machine's own wall clock.
func (h *host) clock() time.Time { return h.wall().Add(h.skew) }

func (h *host) disconnect() {
	if h.process != nil {
		h.process.disconnect()
	}
}

func (h *host) String() string {
	running := "nothing"
	if h.process != nil {
		running = h.process.build.Version.String()
	}
	j := h.disk.journal
	return fmt.Sprintf("machine %s: on %v, runs %s, phase %q, good %s, no return %q, order %v, %d reports wait",
		h.id, h.on, running, j.Phase, j.Good, j.NoReturn, j.Order, len(h.disk.outbox.waiting))
}

// newHost makes a machine that runs the first release.
func (w *world) newHost(id int, first *release) *host {
	name := first.Version.String()
	h := &host{world: w, id: strconv.Itoa(id)}
	h.disk = disk{
		journal: install.Journal{Good: name}, link: name, builds: map[string]*release{name: first}, reached: first.Version.Number,
	}
	h.disk.outbox = outbox{host: h, epoch: "epoch-" + h.id}
	return h
}

func (h *host) enrolled() *events.MachineEnrolled {
	return &events.MachineEnrolled{Machine: h.id, Key: "K" + h.id, Hostname: "host" + h.id, Version: h.disk.builds[h.disk.link].Version, StateServer: h.id == "0"}
}
