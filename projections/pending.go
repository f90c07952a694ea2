package projections

import (
	"time"

	"github.com/jujube-project/jujube/events"
)

// Pending is a request that waits for more operators to agree. A Pending is never changed but replaced,
// so that copies of a State can share it.
type Pending struct {
	Request   events.Request `json:"request"`
	Missing   int            `json:"missing"` // number of operators who must still agree
	Agreed    []string       `json:"agreed"`  // names of those who agree; the one who asked comes first
	Approvals [][]byte       `json:"approvals,omitempty"`
	Until     time.Time      `json:"until,omitzero"`    // it does not wait longer; zero: a state server of before wrote it
	Upgrade   *Upgrade       `json:"upgrade,omitempty"` // what a request for an upgrade asks for
}

// Needed is how many operators must agree; the one who asked is one of them.
func (w *Pending) Needed() int { return len(w.Agreed) + w.Missing }

// PendingUpgrade is the upgrade that waits for more operators to agree; nil: none does. There is one at
// most.
func (s *State) PendingUpgrade() *Pending {
	for _, w := range s.Pending {
		if w.Upgrade != nil {
			return w
		}
	}
	return nil
}

// foldUpgradePending replaces the upgrade that waited before.
func (s *State) foldUpgradePending(p *events.UpgradePending) {
	u := s.Asked
	if u == nil || u.ID != p.Upgrade {
		return
	}
	if before := s.PendingUpgrade(); before != nil {
		delete(s.Pending, before.Request.ID)
	}
	s.Asked = nil
	s.pend(events.Request{ID: u.ID, Action: events.ActionUpgrade, Operator: u.Operator, Signed: u.Signed}, p.Needed, p.Until, u)
}

func (s *State) foldRequestPending(r events.Record, p *events.RequestPending) {
	s.foldRequest(r, p.Request)
	s.pend(p.Request, p.Needed, p.Until, nil)
}

func (s *State) pend(q events.Request, needed int, until time.Time, u *Upgrade) {
	q.Created = moment(q.Created)
	s.Pending[q.ID] = &Pending{Request: q, Missing: needed - 1, Agreed: []string{q.Operator}, Until: moment(until), Upgrade: u}
}

// foldAgreed adds one more operator. What was decided by that follows in the same batch.
func (s *State) foldAgreed(r events.Record, approval events.Request, id string, missing int) {
	s.foldRequest(r, approval)
	before := s.Pending[id]
	if before == nil {
		return
	}
	w := *before
	// The capacity is cut off, so that append copies: a clone of the State may share the array.
	w.Agreed = append(w.Agreed[:len(w.Agreed):len(w.Agreed)], approval.Operator)
	w.Approvals = append(w.Approvals[:len(w.Approvals):len(w.Approvals)], approval.Signed)
	w.Missing = max(missing, 0)
	s.Pending[id] = &w
	if w.Missing == 0 && w.Upgrade == nil {
		delete(s.Pending, id)
	}
}

// missing is how many operators must still agree to what waits under that id.
func (s *State) missing(id string) int {
	if w := s.Pending[id]; w != nil {
		return w.Missing
	}
	return 0
}

// agreed removes the pending upgrade of that id, when it is decided, and returns it with its approvals. It
// returns nil if that upgrade is not pending.
func (s *State) agreed(id string) *Upgrade {
	w := s.Pending[id]
	if w == nil || w.Upgrade == nil {
		return nil
	}
	delete(s.Pending, id)
	u := *w.Upgrade
	u.Approvals = w.Approvals
	return &u
}
