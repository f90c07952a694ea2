package statesrv

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/host"
	"github.com/jujube-project/jujube/projections"
)

// revocations keeps NATS informed of the credentials that it must refuse. The log says which those
// are; NATS has them in the claims of its accounts. The writer's goroutine calls note, and
// keepNATSTold runs in a goroutine of its own.
type revocations struct {
	mu      sync.Mutex // guards revoked
	revoked server.Revoked
	changed host.Poke
}

func newRevocations(st *projections.State) *revocations {
	r := &revocations{changed: host.NewPoke()}
	r.note(st)
	return r
}

// note takes over what committed state says, and wakes keepNATSTold if that has changed. The writer
// calls it after each commit. The maps are cloned: the state goes on to change.
func (r *revocations) note(st *projections.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if maps.Equal(r.revoked.Machines, st.Revoked) && maps.Equal(r.revoked.Operators, st.Dismissed) {
		return
	}
	r.revoked = server.Revoked{Machines: maps.Clone(st.Revoked), Operators: maps.Clone(st.Dismissed)}
	r.changed.Send()
}

// current is what NATS has to know now. Nobody changes the maps in it.
func (r *revocations) current() server.Revoked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.revoked
}

const (
	// tellAgain is how often NATS is told although nothing has changed. A NATS server that lost
	// its files, or could not be reached the last time, would not know otherwise.
	tellAgain   = time.Minute
	tellTimeout = 4 * time.Second // of one try
)

// keepNATSTold tells NATS whose credentials are revoked, until ctx ends: at once, whenever that
// changes, and every tellAgain. A try that failed is repeated after retryLead. NATS closes the
// connections that use revoked credentials in the moment in which it is told.
func (r *revocations) keepNATSTold(ctx context.Context, cfg Config) {
	pause := retryLead
	for {
		if err := r.tellNATS(ctx, cfg); err != nil {
			cfg.Logger.Warn("telling NATS whose credentials are revoked; trying again", "err", err)
		} else {
			pause = tellAgain
		}
		select {
		case <-r.changed:
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = retryLead
	}
}

// tellRules tells a NATS that runs elsewhere what roles may do in this version. The embedded one
// knows it from its start. Connections whose rights change are closed, and come back by themselves:
// that of this state server as well.
func tellRules(ctx context.Context, cfg Config) error {
	if cfg.StoreDir != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	for _, claims := range cfg.Accounts.Rules() {
		if err := cfg.System.UpdateAccount(ctx, claims); err != nil {
			return err
		}
	}
	return nil
}

// tellNATS updates the claims of the accounts, all of them or, with an error, some.
func (r *revocations) tellNATS(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	claims, err := cfg.Accounts.Revocations(r.current())
	for _, c := range claims {
		if err == nil {
			err = cfg.System.UpdateAccount(ctx, c)
		}
	}
	return err
}
