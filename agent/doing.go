package agent

import (
	"context"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
)

func (a *Agent) doAll(ctx context.Context, effects []Effect) error {
	for _, e := range effects {
		if err := a.do(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// do does one effect. What takes long goes on beside the loop, and its end comes back as an
// input. An error means that the disk refused what must be on it, or that the process is to
// end (ErrRestart).
func (a *Agent) do(ctx context.Context, e Effect) error {
	switch e := e.(type) {
	case Save:
		return a.layout.WriteJournal(e.Journal)
	case Tell:
		if _, err := a.outbox.put(e.Report); err != nil && isNeeded(e.Report) {
			return err
		} else if err != nil {
			a.cfg.Logger.Error("keeping a report", "kind", e.Report.Kind(), "err", err)
		}
	case Judge:
		a.job(ctx, func(ctx context.Context) Input { return Judged{e.Order.ID, e.Before, a.judge(ctx, e.Order)} })
	case Download:
		a.job(ctx, func(ctx context.Context) Input { return Downloaded{e.Order.ID, a.downloads.get(ctx, e.Order)} })
	case Stage:
		a.job(ctx, func(context.Context) Input { return Staged{e.Order.ID, a.stage(e)} })
	case Test:
		a.job(ctx, func(ctx context.Context) Input { return Tested{e.Order.ID, a.test(ctx, e.Order.Tools.Version)} })
	case Undo:
		a.trial() // nobody takes steps meanwhile
		a.job(ctx, func(ctx context.Context) Input { return Undone{e.Order, e.To, a.steps.undo(ctx, e)} })
	case Switch:
		a.job(ctx, func(context.Context) Input { return Switched{e.Order.ID, a.switchTo(e.Order)} })
	case Drop:
		a.drop()
	case TakeSteps:
		a.jobs.Go(func() { a.takeSteps(a.onTrial(ctx), e) })
	case Prove:
		a.jobs.Go(func() { a.prove(a.onTrial(ctx), e.Order) })
	case Vouch:
		if err := a.cfg.Parent.Healthy(e.Order); err != nil {
			a.cfg.Logger.Error("telling the launcher", "err", err)
		}
	case Collect:
		if err := a.layout.CollectGarbage(e.Keep...); err != nil {
			a.cfg.Logger.Warn("removing old versions", "err", err)
		}
	case Restart:
		return ErrRestart
	}
	return nil
}

// job runs f beside the loop. It cancels the job before it, and begins when that one is over:
// two jobs never work on the same files.
func (a *Agent) job(ctx context.Context, f func(context.Context) Input) {
	before := a.work
	if before != nil {
		before.cancel()
	}
	ctx, cancel := context.WithCancel(ctx)
	w := &work{cancel: cancel, done: make(chan struct{})}
	a.work = w
	a.jobs.Go(func() {
		defer close(w.done)
		if before != nil {
			<-before.done
		}
		if in := f(ctx); ctx.Err() == nil { // what was cut off did not fail
			a.input(ctx, in)
		}
	})
}

func (a *Agent) input(ctx context.Context, in Input) {
	select {
	case a.inputs <- in:
	case <-ctx.Done():
	}
}

// onTrial is the context of the steps, or of the proof, of a version on trial. It ends the
// job of the trial before it; drop ends it.
func (a *Agent) onTrial(ctx context.Context) context.Context {
	a.trial()
	ctx, a.trial = context.WithCancel(ctx)
	return ctx
}

func (a *Agent) drop() {
	if a.work != nil {
		a.work.cancel()
	}
	a.trial()
}

// judge says what is against an order in work, by the newest signed metadata that there is.
// nil also when ctx ended: nobody asks any more.
func (a *Agent) judge(ctx context.Context, o install.Order) *events.Failure {
	law, known := a.law(ctx)
	if !known {
		return nil
	}
	return law.Again(o)
}

func (a *Agent) stage(e Stage) *events.Failure {
	return failure("stage", a.layout.Stage(e.Order.Tools, e.InUse...))
}

func (a *Agent) switchTo(o install.Order) *events.Failure {
	return failure("switch", a.layout.Switch(o.Tools.Version.String()))
}

// isNeeded says whether the state server would be wrong about this machine without a report:
// one that ends an order, or that says that there is no way back. Such a report must be on
// the disk before the work goes on; without any other, only the progress is not shown.
func isNeeded(r events.Report) bool {
	s, ok := r.(*events.AgentStepping)
	_, _, ends := events.EndsOrder(r)
	return ends || ok && s.NoReturn
}
