package statesrv

import (
	"context"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// Resolve says, from a state, what a client must know before it signs a request.
func Resolve(s *projections.State, ask events.Ask) wire.Resolution {
	if !events.ActionOf(ask.Action).LetsRun {
		return wire.Resolution{}
	}
	r := wire.Resolution{Machines: touched(s, ask)}
	for _, m := range r.Machines {
		if v := s.Machines[m.ID].Version.Number; v.Compare(r.Newest) > 0 {
			r.Newest = v
		}
	}
	if ask.AddUnit != nil {
		if u := newestUnit(s, ask.AddUnit.Service); u != nil {
			spec := u.UnitSpec
			spec.Warrant = events.Warrant{}
			r.Unit = &spec
		}
	}
	return r
}

// answerResolve answers it from committed state.
func (t *term) answerResolve(ctx context.Context, ask events.Ask) (r wire.Resolution, err error) {
	err = t.writer.look(ctx, func(st *projections.State) { r = Resolve(st, ask) })
	return r, err
}

func waitingOf(st *projections.State) (wire.Waiting, error) {
	if w := st.Pending; w != nil {
		return wire.Waiting{Upgrade: w.ID, Signed: w.Signed, Agreed: w.Agreed, Needed: w.Needed}, nil
	}
	return wire.Waiting{}, nil
}
