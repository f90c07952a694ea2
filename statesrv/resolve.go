package statesrv

import (
	"encoding/json"
	"fmt"

	"github.com/jujube-project/jujube/bus"
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
func (t *term) answerResolve(q bus.Query) {
	var ask events.Ask
	if err := json.Unmarshal(q.Body, &ask); err != nil {
		q.Answer(nil, fmt.Errorf("read the question: %w", err))
		return
	}
	var r wire.Resolution
	if err := t.writer.look(t.ctx, func(st *projections.State) { r = Resolve(st, ask) }); err != nil {
		q.Answer(nil, err)
		return
	}
	b, err := json.Marshal(r)
	q.Answer(b, err)
}

func waitingOf(st *projections.State) wire.Waiting {
	if w := st.Pending; w != nil {
		return wire.Waiting{Upgrade: w.ID, Signed: w.Signed, Agreed: w.Agreed, Needed: w.Needed}
	}
	return wire.Waiting{}
}
