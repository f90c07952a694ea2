package agent

import (
	"context"
	"time"

	"github.com/jujube-project/jujube/agent/install"
)

// committed waits until the launcher says that the version on trial is kept, and then reads the
// journal that the launcher wrote.
func (a *Agent) committed(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.cfg.Committed:
			j, err := a.layout.ReadJournal()
			if err != nil {
				a.cfg.Logger.Error("reading the journal", "err", err)
				continue
			}
			select {
			case a.inputs <- Committed{j}:
			case <-ctx.Done():
			}
		}
	}
}

// prove watches this process until it has shown that it is healthy, and then says so to the
// machine. Healthy means, in this order: the process has reported its start and adopted its
// units; every report is acknowledged by the log; the connection stands for the whole window;
// at the end of the window every report is acknowledged again. If one of the last three does
// not hold, all three begin anew. A process that was restarted begins anew, too: the window
// is always spent by one process.
func (a *Agent) prove(ctx context.Context, o install.Order) {
	for _, first := range []<-chan struct{}{a.started, a.units.adopted} {
		select {
		case <-first:
		case <-ctx.Done():
			return
		}
	}
	for !a.outbox.drained(ctx) || !a.steady(ctx, o.Window) || !a.outbox.empty() {
		if ctx.Err() != nil {
			return
		}
	}
	a.input(ctx, Proved{o.ID})
}

// steady says whether the connection stood for the whole window.
func (a *Agent) steady(ctx context.Context, window time.Duration) bool {
	end := time.NewTimer(window)
	defer end.Stop()
	look := time.NewTicker(min(max(window/10, 10*time.Millisecond), time.Second))
	defer look.Stop()
	for {
		select {
		case <-end.C:
			return a.cfg.Bus.Connected()
		case <-look.C:
			if !a.cfg.Bus.Connected() {
				return false
			}
		case <-ctx.Done():
			return false
		}
	}
}
