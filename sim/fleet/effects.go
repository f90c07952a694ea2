package fleet

import (
	"slices"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/agent/trial"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// do does one effect. It returns false when the disk refuses it.
func (p *process) do(e agent.Effect) bool {
	switch e := e.(type) {
	case agent.Save:
		if p.full() {
			return false
		}
		p.checks.saved(p.host, e.Journal)
		p.disk.journal = e.Journal
	case agent.Tell:
		stepping, ok := e.Report.(*events.AgentStepping)
		_, _, ends := events.EndsOrder(e.Report)
		return p.disk.outbox.put(e.Report) || !ends && !(ok && stepping.NoReturn)
	case agent.Judge:
		p.job(p.between(time.Millisecond, 20*time.Millisecond), func(func(time.Duration)) { p.input(agent.Judged{Order: e.Order.ID, Before: e.Before}) })
	case agent.Download:
		if p.disk.part != e.Order.Tools.SHA256 { // else the download goes on where an earlier process stopped
			p.disk.part, p.disk.left = e.Order.Tools.SHA256, 1+p.rnd.IntN(8)
		}
		p.job(200*time.Millisecond, func(again func(time.Duration)) { p.download(e.Order, again) })
	case agent.Stage:
		p.job(p.between(50*time.Millisecond, time.Second), func(func(time.Duration)) { p.input(agent.Staged{Order: e.Order.ID, Failure: p.stage(e)}) })
	case agent.Test:
		p.job(p.between(50*time.Millisecond, time.Second), func(again func(time.Duration)) { p.test(e.Order, again) })
	case agent.Switch:
		p.job(p.between(time.Millisecond, 50*time.Millisecond), func(func(time.Duration)) { p.input(agent.Switched{Order: e.Order.ID, Failure: p.change(e.Order)}) })
	case agent.Undo:
		p.proofs++
		p.job(p.between(50*time.Millisecond, time.Second), func(func(time.Duration)) { p.input(p.undo(e)) })
	case agent.Drop:
		p.jobs++
		p.proofs++
	case agent.TakeSteps:
		p.proof(p.between(10*time.Millisecond, 200*time.Millisecond), func() { p.steps(e) })
	case agent.Prove:
		p.proof(e.Order.Window, func() { p.prove(e.Order) })
	case agent.Vouch:
		p.vouch(e.Order)
	case agent.Collect:
		p.collect(e.Keep)
	case agent.Restart:
		p.crashes = 0
		p.host.end()
		p.restartIn(10 * time.Millisecond)
	}
	return true
}

// job starts work on an order beside the machine's loop. It takes the place of the work before.
func (p *process) job(d time.Duration, f func(again func(time.Duration))) {
	p.jobs++
	n := p.jobs
	var again func(time.Duration)
	again = func(d time.Duration) {
		p.later(d, func() {
			if p.jobs == n && !p.struck() {
				f(again)
			}
		})
	}
	again(d)
}

func (p *process) proof(d time.Duration, f func()) {
	p.proofs++
	n := p.proofs
	p.later(d, func() {
		if p.proofs == n {
			f()
		}
	})
}

func env(step, code string) *events.Failure {
	return &events.Failure{Step: step, Cause: events.CauseEnvironment, Code: code, Text: code}
}

func (p *process) download(o install.Order, again func(time.Duration)) {
	switch {
	case p.full():
		p.input(agent.Downloaded{Order: o.ID, Failure: env("download", "no-space")})
	case p.fault(fetchFails):
		p.input(agent.Downloaded{Order: o.ID, Failure: env("download", "unavailable")})
	case !p.connected:
		again(2 * time.Second)
	case p.disk.left > 0:
		p.disk.left--
		again(p.between(100*time.Millisecond, time.Second))
	default:
		p.disk.part = ""
		p.input(agent.Downloaded{Order: o.ID})
	}
}

func (p *process) stage(e agent.Stage) *events.Failure {
	r, name := p.releaseOf(e.Order.Tools.Version), e.Order.Tools.Version.String()
	switch {
	case p.full():
		return env("stage", "no-space")
	case r.is == damaged:
		return &events.Failure{Step: "stage", Cause: events.CauseArtifact, Code: "artefact-hash", Text: "damaged"}
	case p.disk.builds[name] == nil && slices.Contains(e.InUse, name):
		p.fail("machine %s would stage %s, which is in use and not there", p.id, name)
	}
	p.disk.builds[name] = r
	return nil
}

func (p *process) test(o install.Order, again func(time.Duration)) {
	bad := func(code string) {
		p.input(agent.Tested{Order: o.ID, Failure: &events.Failure{Step: "self-test", Cause: events.CauseVersion, Code: code, Text: code}})
	}
	switch r := p.releaseOf(o.Tools.Version); {
	case r.is == cannotRun:
		bad("selfcheck")
	case r.is == liar:
		bad("version-mismatch")
	case !p.connected: // neither this version nor the new one reaches the bus
		again(5 * time.Second)
	case r.is == deaf:
		bad("cannot-connect")
	default:
		p.input(agent.Tested{Order: o.ID})
	}
}

func (p *process) change(o install.Order) *events.Failure {
	if p.full() {
		return env("switch", "no-space")
	}
	p.point(o.Tools.Version.String())
	return nil
}

// due gives the releases whose steps lead from one version to another.
func (p *process) due(from, to version.Number) (due []*release) {
	for _, r := range p.releases {
		if from.Compare(r.Version.Number) < 0 && r.Version.Number.Compare(to) <= 0 {
			due = append(due, r)
		}
	}
	return due
}

// steps takes the upgrade steps of the version that runs.
func (p *process) steps(e agent.TakeSteps) {
	d, own := &p.disk, p.build.Version.Number
	again := func(d time.Duration) { p.proof(d, func() { p.steps(e) }) }
	if p.full() {
		again(time.Second)
		return
	}
	d.begun = own
	for _, r := range p.due(d.reached, own) {
		switch {
		case r.burns() && !e.Freely:
			p.input(agent.Stepped{Order: e.Order, Release: r.Version.Number, Closes: "burn the bridge"})
			return
		case r.burns():
			if e.Order != "" && d.journal.NoReturn == "" {
				p.fail("machine %s burns the bridge, and its journal does not say so", p.id)
			}
			d.crossed = r.Version.Number
		case p.build.is == stepStuck, p.build.is == stepFails && p.failed < 3:
			p.failed++
			d.outbox.put(&events.AgentStepping{Order: e.Order, Release: r.Version.Number, Step: "move the logs", Error: "no"})
			again(time.Second << min(p.failed, 5))
			return
		}
		d.reached = r.Version.Number
		if p.struck() {
			return
		}
	}
	d.reached, d.begun = own, version.Number{}
	p.input(agent.Stepped{Order: e.Order})
}

// undo undoes steps, as a process of the version that has these steps does.
func (p *process) undo(e agent.Undo) agent.Undone {
	done := agent.Undone{Order: e.Order, To: e.To}
	by := p.disk.builds[e.By.String()]
	if by == nil {
		p.fail("machine %s: the steps of %s are to be undone, and it is gone", p.id, e.By)
	}
	for _, r := range p.due(e.To, e.By.Number) {
		if r.burns() {
			done.Failure = &events.Failure{Step: "steps", Cause: events.CauseVersion, Code: "not-undone", Text: "the bridge is burnt"}
			return done
		}
	}
	if by.is == cannotRun || by.is == crashes || p.full() {
		done.Failure = env("steps", "not-undone")
		return done
	}
	p.disk.reached, p.disk.begun = e.To, version.Number{}
	return done
}

// prove watches until the process was connected for the whole window and all of its reports are
// acknowledged.
func (p *process) prove(o install.Order) {
	if !p.told || !p.connected || p.now-p.since < o.Window || len(p.disk.outbox.waiting) > 0 {
		p.proof(time.Second, func() { p.prove(o) })
		return
	}
	p.input(agent.Proved{Order: o.ID})
}

// vouch tells the launcher that the version is healthy. If the launcher cannot write the journal,
// it ends the process.
func (p *process) vouch(order string) {
	p.later(p.between(time.Millisecond, 10*time.Millisecond), func() {
		j := p.disk.journal
		if j.Phase != install.PhaseTrial || j.Order == nil || j.Order.ID != order {
			return
		}
		if p.full() {
			p.kill("its trial could not be noted")
			return
		}
		p.disk.journal = trial.Committed(j)
		p.checks.kept(p.host, p.build)
		p.trial = false
		if p.struck() {
			return
		}
		p.later(p.between(time.Millisecond, 10*time.Millisecond), func() { p.input(agent.Committed{Journal: p.disk.journal}) })
	})
}

// deadline is the launcher's: when the time of a trial is over, it ends the process, unless nobody
// can reach the bus.
func (p *process) deadline() {
	switch {
	case !p.trial:
	case !p.busUp():
		p.later(trialTime, p.deadline)
	default:
		p.kill("it did not prove itself in time")
	}
}

func (p *process) collect(keep []string) {
	for _, name := range sortedNames(p.disk.builds) {
		if name != p.disk.link && !slices.Contains(keep, name) {
			p.checks.removed(p.host, name)
			delete(p.disk.builds, name)
		}
	}
}

func (p *process) releaseOf(v version.Binary) *release {
	i := slices.IndexFunc(p.releases, func(r *release) bool { return r.Version == v })
	return p.releases[i]
}
