package fleet

import (
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
)

// process is one agent process.
type process struct {
	born time.Duration // when the process was started
	*host
	build *release
	run   int
	trial bool           // its version began on trial and is not kept yet
	order *install.Order // of the trial

	state     agent.State
	began     bool
	connected bool
	since     time.Duration // of the connection
	seen      uint64        // newest record of its order subject
	sending   bool
	told      bool // its start is in the outbox

	stuck   bool          // the disk is full, and an effect of the last step is not done
	pending []agent.Input // inputs that wait until that step was taken again
	jobs    int           // grows when the work on an order is dropped or replaced
	proofs  int           // grows when the proof of a trial is dropped or replaced
	failed  int           // how often an upgrade step failed
}

// later calls f after the time d, unless the process has ended by then.
func (p *process) later(d time.Duration, f func()) {
	p.after(d, func() {
		if p.process == p && p.host.run == p.run {
			f()
		}
	})
}

func (p *process) dies(d time.Duration, why string) { p.later(d, func() { p.kill(why) }) }

// begin does what agent.New and the start of Agent.Run do.
func (p *process) begin() {
	d := &p.disk
	p.began = true
	p.state = agent.State{
		Journal: d.journal, Machine: p.id, Running: p.build.Version, PID: p.run, Reached: d.reached, Begun: d.begun,
	}
	p.tellStart()
	p.later(p.between(10*time.Millisecond, 2*time.Second), p.connect)
	p.input(agent.Started{})
}

// tellStart puts the agent's first report into the outbox. While the disk is full, it tries again.
func (p *process) tellStart() {
	started := p.state.Start()
	started.SHA256, started.PID = p.build.SHA256, p.run
	p.told = p.disk.outbox.put(started)
	if !p.told {
		p.later(time.Second, p.tellStart)
	}
}

// connect connects to the bus, or tries again later. Once connected, the process reads its newest
// order, and again every few minutes.
func (p *process) connect() {
	if p.connected || p.build.is == deafLater {
		return
	}
	if !p.busUp() {
		p.later(p.between(time.Second, 4*time.Second), p.connect)
		return
	}
	p.connected, p.since = true, p.now
	p.later(p.delay(), p.resync)
	p.disk.outbox.send(p)
}

func (p *process) disconnect() {
	if p.connected {
		p.connected = false
		p.later(p.between(time.Second, 4*time.Second), p.connect)
	}
}

func (p *process) resync() {
	if p.connected && p.newest != nil {
		p.hear(p.newest)
	}
	p.later(p.between(5*time.Minute, 10*time.Minute), p.resync)
}

// hear takes a record of the machine's order subject, once and never an older one.
func (p *process) hear(o *order) {
	if o.seq <= p.seen {
		return
	}
	p.seen = o.seq
	if in := agent.InputOf(o.seq, o.payload, p.clock()); in != nil {
		p.input(in)
	}
}

// input steps the machine and does the effects. A kill or a power cut can end it between any two
// effects. If the disk is full, the same input is stepped again later, and other inputs wait until
// then.
func (p *process) input(in agent.Input) {
	if p.stuck {
		p.pending = append(p.pending, in)
		return
	}
	p.take(in)
	for len(p.pending) > 0 && !p.stuck && p.process == p {
		in, p.pending = p.pending[0], p.pending[1:]
		p.take(in)
	}
}

func (p *process) take(in agent.Input) {
	next, effects := agent.Step(p.state, in)
	p.world.tell("machine %s: %T → %d effects", p.id, in, len(effects))
	for _, e := range effects {
		if p.struck() {
			return
		}
		if !p.do(e) {
			p.stuck = true
			p.later(p.between(time.Second, 15*time.Second), func() { p.stuck = false; p.input(in) })
			return
		}
		if p.process != p {
			return
		}
	}
	p.state = next
	p.struck()
}

// struck ends the process here if the run draws a kill or a power cut of the host, and says whether
// it did.
func (p *process) struck() bool {
	switch {
	case p.fault(killed):
		p.kill("it was killed")
	case p.fault(powerCut):
		p.powerCut(p.between(time.Second, 5*time.Minute))
	default:
		return false
	}
	return true
}
