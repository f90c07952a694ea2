package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv"
)

// resolveTries is how often a request is signed anew when the machines changed meanwhile.
const resolveTries = 3

// resolve completes an ask with what the operator did not type and signs all the same: the
// machines that it is about, and what a service's units are.
func (s *session) resolve(ctx context.Context, ask events.Ask) (events.Ask, error) {
	if !statesrv.LetsRun(ask.Action) {
		return ask, nil
	}
	r, err := s.resolution(ctx, ask)
	if err != nil {
		return ask, fail(fmt.Errorf("find the machines that it is about: %w", err), "Nothing was asked.", "")
	}
	ask.Until = ask.Created.Add(events.MaxRequestLife)
	if ask.Upgrade != nil {
		up := *ask.Upgrade
		up.Rollback = up.To.Compare(r.Newest) < 0
		ask.Upgrade = &up
	}
	if ask.AddUnit != nil && r.Unit != nil {
		unit := *ask.AddUnit
		unit.Command, unit.Env, unit.Restart = r.Unit.Command, r.Unit.Env, r.Unit.Restart
		ask.AddUnit = &unit
	}
	if len(r.Machines) == 0 {
		return ask, nil // the state server says why
	}
	list, err := warrant.NewList(r.Machines)
	if err != nil {
		return ask, fail(err, "Nothing was asked.", "")
	}
	ask.Machines, err = list.Signed()
	return ask, err
}

// resolution asks the state server or, when there is none, the log.
func (s *session) resolution(ctx context.Context, ask events.Ask) (wire.Resolution, error) {
	var r wire.Resolution
	body, err := json.Marshal(ask)
	if err != nil {
		return r, err
	}
	b, err := s.ask(ctx, "resolve", body)
	if errors.Is(err, bus.ErrNoStateServer) {
		return s.resolveFromLog(ctx, ask)
	}
	if err != nil {
		return r, err
	}
	return r, decodeJSON(b, &r)
}

func (s *session) resolveFromLog(ctx context.Context, ask events.Ask) (wire.Resolution, error) {
	log := s.Conn.Log()
	last, err := s.logEnd(ctx, log)
	if err != nil {
		return wire.Resolution{}, err
	}
	st := projections.New()
	for rec, err := range log.Read(ctx, 1, last) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return wire.Resolution{}, err
		}
		st.Fold(rec)
	}
	return statesrv.Resolve(st, ask), nil
}

// changedMeanwhile says whether a request was refused only because the machines are others
// than when it was signed.
func changedMeanwhile(err error) bool {
	var refused refusedError
	return errors.As(err, &refused) && len(refused.reasons) == 1 && refused.reasons[0].Code == "machines-changed"
}
