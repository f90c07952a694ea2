package statesrv

import (
	"encoding/json"
	"fmt"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
)

// Resolution is the answer to the query "resolve", whose body is an ask: what the client
// signs beside what the operator typed.
type Resolution struct {
	Machines []warrant.Machine `json:"machines"`       // that it is about
	Newest   version.Number    `json:"newest"`         // that one of them runs
	Unit     *events.UnitSpec  `json:"unit,omitempty"` // what the service of an add-unit is
}

// LetsRun says whether an action lets a machine run something: its request names the machines.
func LetsRun(action string) bool { return letsRun[action] }

// Resolve says it from a state.
func Resolve(s *projections.State, ask events.Ask) Resolution {
	if !letsRun[ask.Action] {
		return Resolution{}
	}
	r := Resolution{Machines: touched(s, ask)}
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
	var r Resolution
	if err := t.writer.look(t.ctx, func(st *projections.State) { r = Resolve(st, ask) }); err != nil {
		q.Answer(nil, err)
		return
	}
	b, err := json.Marshal(r)
	q.Answer(b, err)
}

// Waiting is the answer to the query "pending": the upgrade that waits for approval.
type Waiting struct {
	Upgrade string   `json:"upgrade"` // empty: none does
	Signed  []byte   `json:"signed"`  // its request, byte for byte
	Agreed  []string `json:"agreed"`
	Needed  int      `json:"needed"`
}

func waitingOf(st *projections.State) Waiting {
	if w := st.Pending; w != nil {
		return Waiting{w.ID, w.Signed, w.Agreed, w.Needed}
	}
	return Waiting{}
}
