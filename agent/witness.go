package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
)

// witness remembers the newest checkpoint of the log that this machine believed, on disk
// in two copies: from then on nobody can show it a log without what lies below that
// checkpoint. Heartbeats repeat it.
type witness struct {
	layout      install.Layout
	environment string

	mu    sync.Mutex
	known tree.Checkpoint
}

// checkpointName is what the copies are called.
const checkpointName = "checkpoint"

// openWitness reads what was believed. When neither copy can be used, belief begins anew
// with the next order's checkpoint.
func openWitness(l install.Layout, environment string, logger *slog.Logger) (*witness, error) {
	w := &witness{layout: l, environment: environment}
	_, err := l.ReadCopies(checkpointName, func(b []byte) error {
		c, err := tree.Parse(b, environment)
		if err == nil {
			w.known = c
		}
		return err
	})
	switch {
	case errors.Is(err, install.ErrNoCopy):
		logger.Error("the checkpoint of the log that was believed cannot be read; belief begins anew", "err", err)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return w, nil
}

// head is the newest that was believed.
func (w *witness) head() tree.Head {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.known.Head
}

// witnessed is what happened, with what the log says against it: the last thing that is
// asked of an order that is lawful otherwise.
func (a *Agent) witnessed(law Law, in Input) Input {
	o, ok := in.(Ordered)
	if !ok || o.Unlawful != nil {
		return in
	}
	o.Unlawful = a.witness.check(law.Trust.Roster().Logs, o.Order)
	return o
}

// check says what the log says against an order; nil: its request lies in the log, and the
// log goes on from the one seen before, which is remembered. logs are the log keys of the
// roster.
func (w *witness) check(logs []string, o events.OrderIssued) *events.Failure {
	w.mu.Lock()
	defer w.mu.Unlock()
	no := func(code, text string) *events.Failure {
		return &events.Failure{Step: stepCheck, Cause: events.CauseOperator, Code: code, Text: clipText(text, maxText)}
	}
	v, err := tree.NewVerifiers(w.environment, logs)
	if err != nil {
		return no(tree.CodeProof, err.Error())
	}
	c, refusal := events.CheckLogged(v, w.environment, o, w.known)
	if refusal != nil {
		f := no(refusal.Code, refusal.Text)
		if refusal.Code == tree.CodeFork {
			f.Output = clipText(tree.Evidence(w.known.Note, o.Log.Checkpoint), maxOutput)
		}
		return f
	}
	if c.Head == w.known.Head {
		return nil
	}
	if err := w.layout.WriteCopies(checkpointName, c.Note); err != nil {
		f := no(events.CodeFailed, fmt.Sprintf("keep the checkpoint of the log: %v", err))
		f.Cause = events.CauseEnvironment
		return f
	}
	w.known = c
	return nil
}
