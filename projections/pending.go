package projections

import (
	"github.com/jujube-project/jujube/events"
)

// Pending is an upgrade that waits for more operators to agree. A Pending is never changed but replaced,
// so that copies of a State can share it.
type Pending struct {
	Upgrade
	Needed    int      `json:"needed"` // number of operators who must agree; the one who asked is one of them
	SHA256    string   `json:"sha256"` // of its request
	Agreed    []string `json:"agreed"` // names of those who agree; the one who asked comes first
	Approvals [][]byte `json:"approvals,omitempty"`
}

func (s *State) foldPending(p *events.UpgradePending) {
	if s.Asked == nil || s.Asked.ID != p.Upgrade {
		return
	}
	s.Pending = &Pending{Upgrade: *s.Asked, Needed: p.Needed, SHA256: p.SHA256, Agreed: []string{s.Asked.Operator}}
	s.Asked = nil
}

func (s *State) foldAgreed(seq uint64, p *events.UpgradeApproved) {
	s.foldRequest(seq, p.Request)
	if s.Pending == nil || s.Pending.ID != p.Upgrade {
		return
	}
	w := *s.Pending
	// The capacity is cut off, so that append copies: a clone of the State may share the array.
	w.Agreed = append(w.Agreed[:len(w.Agreed):len(w.Agreed)], p.Request.Operator)
	w.Approvals = append(w.Approvals[:len(w.Approvals):len(w.Approvals)], p.Request.Signed)
	s.Pending = &w
}

// agreed removes the pending upgrade of that id, when it is decided, and returns it with its approvals. It
// returns nil if that upgrade is not pending.
func (s *State) agreed(id string) *Upgrade {
	w := s.Pending
	if w == nil || w.ID != id {
		return nil
	}
	s.Pending = nil
	u := w.Upgrade
	u.Approvals = w.Approvals
	return &u
}
