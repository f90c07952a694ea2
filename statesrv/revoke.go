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

// revocations is whose credentials NATS must refuse, as the log says, and what wakes whoever
// tells NATS.
type revocations struct {
	mu   sync.Mutex
	keys server.Revoked
	more host.Poke
}

func newRevocations(st *projections.State) *revocations {
	r := &revocations{more: host.NewPoke()}
	r.note(st)
	return r
}

// note takes over what the state says. It is called by the writer after each commit.
func (r *revocations) note(st *projections.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if maps.Equal(r.keys.Machines, st.Revoked) && maps.Equal(r.keys.Operators, st.Dismissed) {
		return
	}
	r.keys = server.Revoked{Machines: maps.Clone(st.Revoked), Operators: maps.Clone(st.Dismissed)}
	r.more.Send()
}

func (r *revocations) now() server.Revoked {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys
}

// tellAgain is how often NATS is told although nothing has changed: one that lost its
// files, or was away, would not know.
const (
	tellAgain   = time.Minute
	tellTimeout = 4 * time.Second
)

// tell keeps NATS told whose credentials are revoked, until ctx ends: who is connected with them is cut
// off in that moment.
func (r *revocations) tell(ctx context.Context, cfg Config) {
	pause := retryLead
	for {
		if err := r.tellNow(ctx, cfg); err != nil {
			cfg.Logger.Warn("telling NATS whose credentials are revoked; trying again", "err", err)
		} else {
			pause = tellAgain
		}
		select {
		case <-r.more:
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		pause = retryLead
	}
}

func (r *revocations) tellNow(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithTimeout(ctx, tellTimeout)
	defer cancel()
	claims, err := cfg.Accounts.Revocations(r.now())
	for _, c := range claims {
		if err == nil {
			err = cfg.System.UpdateAccount(ctx, c)
		}
	}
	return err
}
