package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/accepted"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/targets"
)

// complete adds to an ask what the operator did not type and signs all the same: the
// machines that it is about. They are those that were typed, or are shown. And it seals the
// environment of a unit for its machine.
func (s *Session) complete(ctx context.Context, ask events.Ask, env Environment) (events.Ask, error) {
	if !events.ActionOf(ask.Action).LetsRun {
		return ask, nil
	}
	r, err := s.resolution(ctx, ask)
	if err != nil {
		return ask, app.Fail(fmt.Errorf("find the machines that it is about: %w", err), "Nothing was asked.", "")
	}
	if err := onlyNamed(ask, r.Machines); err != nil {
		return ask, err
	}
	ask.Until = ask.Created.Add(events.MaxRequestLife)
	if len(r.Machines) == 0 {
		return ask, nil // the state server refuses it and says why
	}
	list, err := warrant.NewList(r.Machines)
	if err != nil {
		return ask, app.Fail(err, "Nothing was asked.", "")
	}
	if ask.Machines, err = list.Signed(); err != nil {
		return ask, err
	}
	if ask, err = env.seal(ask, r.Machines, s.Identity.Public()); err != nil {
		return ask, err
	}
	s.app.Show("%s", inWords(r.Machines, ask.Machines))
	return ask, nil
}

// resolution finds the machines that an ask is about. The state server answers that; if none does,
// the client folds the log itself.
func (s *Session) resolution(ctx context.Context, ask events.Ask) (wire.Resolution, error) {
	r, err := wire.Resolve.Ask(ctx, s, ask)
	if errors.Is(err, bus.ErrNoStateServer) {
		return s.resolutionFromLog(ctx, ask)
	}
	return r, err
}

func (s *Session) resolutionFromLog(ctx context.Context, ask events.Ask) (wire.Resolution, error) {
	log := s.Log()
	last, err := log.Last(ctx)
	if err != nil {
		return wire.Resolution{}, err
	}
	root, err := accepted.Of(s.app.Store(), s.Env.Name).Pinned()
	if err != nil {
		return wire.Resolution{}, err
	}
	st := projections.New()
	st.Pin(root)
	for rec, err := range log.Read(ctx, 1, last) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return wire.Resolution{}, err
		}
		st.Fold(rec)
	}
	return targets.Resolve(st, ask), nil
}
