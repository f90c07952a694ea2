package agent

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/events"
)

// unitAgent watches one unit's workload.
type unitAgent struct {
	units  *units
	spec   events.UnitSpec
	before *unitAgent // of the same unit, being ended; nil: none
	cancel context.CancelFunc
	fate   fate          // of the workload; set before cancel
	begun  chan struct{} // closed once the workload is adopted, started, or known to have ended
	done   chan struct{}
}

// fate is what becomes of a workload when its agent ends.
type fate int

const (
	fateKeep   fate = iota // it goes on by itself
	fateStop               // it ends with the machine's service
	fateRemove             // the unit is gone
)

func startUnitAgent(u *units, spec events.UnitSpec, before *unitAgent) *unitAgent {
	ctx, cancel := context.WithCancel(context.Background())
	a := &unitAgent{units: u, spec: spec, before: before, cancel: cancel, begun: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(a.done)
		a.run(ctx)
		if a.fate == fateRemove {
			u.remove(u.layout.Unit(spec.Unit))
		}
	}()
	return a
}

// end ends the agent, and its workload as f says.
func (a *unitAgent) end(f fate) {
	a.fate = f
	a.cancel()
	<-a.done
}

// Times of a workload.
const (
	workloadStable   = 10 * time.Second // after a run as long as this the pauses begin anew
	workloadPatience = 10 * time.Second // between SIGTERM and SIGKILL
	rotateEvery      = 2 * time.Second  // looks at the length of the log
)

// run keeps the workload running, by its policy, until it is ended.
func (a *unitAgent) run(ctx context.Context) {
	if a.before != nil {
		<-a.before.done
	}
	failed := 0 // runs, one after the other, that were short
	w, end := a.adopt()
	for begun := false; ctx.Err() == nil; {
		if w == nil && end == nil {
			w, end = a.start()
		}
		if !begun {
			begun = true
			close(a.begun)
		}
		if end == nil {
			a.report(events.UnitStarted, "", w.PID)
			began := time.Now()
			if end = a.watch(ctx, w); end == nil {
				return
			}
			a.note(w, end)
			if time.Since(began) > workloadStable {
				failed = 0
			}
		}
		if !a.again(*end) {
			a.report(stateAfter(*end), end.How, 0)
			<-ctx.Done()
			return
		}
		a.report(stateAfter(*end), end.How+"; it is started again", 0)
		if workloadPauses.Wait(ctx, failed) != nil {
			return
		}
		failed++
		w, end = nil, nil
	}
}

// adopt takes over the run that an earlier agent left, or says how it ended. It returns
// neither when there is nothing to take over.
func (a *unitAgent) adopt() (*workload, *ending) {
	dir := a.units.layout.Unit(a.spec.Unit)
	w := readWorkload(dir)
	switch {
	case w == nil:
		return nil, nil
	case w.Command != commandText(a.spec):
		a.units.remove(dir)
		return nil, nil
	case w.alive():
		return w, nil
	}
	end := w.end(a.units.exits)
	a.note(w, &end)
	return nil, &end
}

// start starts a run. One that cannot be started has ended.
func (a *unitAgent) start() (*workload, *ending) {
	env, err := a.units.secrets.open(a.spec)
	var as *runAs
	if err == nil {
		as, err = a.units.users.of(a.spec)
	}
	if err == nil {
		var w *workload
		if w, err = startWorkload(a.units.layout, a.spec, as, env, (*workload).save); err == nil {
			return w, nil
		}
	}
	end := &ending{How: fmt.Sprintf("it cannot be started: %v", err), Failed: true}
	a.note(&workload{Command: commandText(a.spec), file: filepath.Join(a.units.layout.Unit(a.spec.Unit), workloadName)}, end)
	return nil, end
}

// note keeps how a run ended, so that the next agent follows the policy too.
func (a *unitAgent) note(w *workload, end *ending) {
	w.Ended = end
	if err := w.save(); err != nil {
		a.units.logger.Warn("noting the end of a workload", "unit", a.spec.Unit, "err", err)
	}
}

// watch waits for the workload's end, and says how it ended; nil when the agent was ended.
func (a *unitAgent) watch(ctx context.Context, w *workload) *ending {
	ended := make(chan ending, 1)
	go func() { ended <- w.wait(a.units.exits) }()
	look := time.NewTicker(rotateEvery)
	defer look.Stop()
	for {
		select {
		case end := <-ended:
			return &end
		case <-look.C:
			if err := rotateLog(a.units.layout.Log(events.UnitTag(a.spec.Unit)), a.units.logBytes); err != nil {
				a.units.logger.Warn("rotating the log of a workload", "unit", a.spec.Unit, "err", err)
			}
		case <-ctx.Done():
			if a.fate != fateKeep {
				w.stop(workloadPatience, ended)
				a.note(w, &ending{How: "it was stopped with the machine's service", Stopped: true})
			}
			return nil
		}
	}
}

// again says whether a run follows one that ended so. One whose end nobody saw has failed,
// for all that is known; one that was stopped with the machine's service is started with it.
func (a *unitAgent) again(e ending) bool {
	return a.spec.Restart == events.RestartAlways || (a.spec.Restart == events.RestartOnFailure && (e.Failed || e.Stopped))
}

func stateAfter(e ending) string {
	if e.Failed {
		return events.UnitError
	}
	return events.UnitStopped
}

func (a *unitAgent) report(state, info string, pid int) {
	a.units.logger.Info("workload", "unit", a.spec.Unit, "state", state, "info", info, "pid", pid)
	a.units.tell(&events.UnitStateChanged{Unit: a.spec.Unit, State: state, Info: info, PID: pid, Version: a.units.version})
}
