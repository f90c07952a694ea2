package agent

import (
	"context"
	"time"

	"github.com/jujube-project/jujube/agent/install"
)

// committed waits for the launcher's word that the version on trial is kept, and reads
// what it wrote.
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

// prove watches this process until it has shown, for the whole window, that it is
// healthy: its units adopted, the connection steady, and at the window's beginning and at
// its end every report acknowledged by the log; the first is that it started. A process
// that dies begins anew, so the window is always one process's.
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
