package projections

import (
	"maps"
	"slices"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Upgrade is the upgrade that is in progress or halted.
type Upgrade struct {
	ID        string                 `json:"id"`
	Operator  string                 `json:"operator"`
	From      version.Number         `json:"from"`
	To        version.Number         `json:"to"`
	Artefacts map[string]tools.Tools `json:"artefacts"`      // by platform, "trusty-amd64"
	Signed    []byte                 `json:"signed"`         // the request that it executes, as it was signed
	Seq       uint64                 `json:"seq"`            // of the record that holds the request
	Machines  []string               `json:"machines"`       // ids of its machines, in the order in which they are upgraded
	Keys      map[string]string      `json:"keys,omitempty"` // of these machines, when the upgrade was accepted
	Approvals [][]byte               `json:"approvals,omitempty"`
	Missed    map[string]string      `json:"missed,omitempty"` // binary version → why its archive could not be fetched yet
	Done      map[string]string      `json:"done"`             // machine id → how its last order ended, a Done… constant
	Halted    []events.Reason        `json:"halted,omitempty"`
	Started   time.Time              `json:"started"`
}

// PastUpgrade is an upgrade that ended.
type PastUpgrade struct {
	ID       string         `json:"id"`
	From     version.Number `json:"from"`
	To       version.Number `json:"to"`
	Outcome  string         `json:"outcome"` // completed or aborted
	Operator string         `json:"operator"`
	Started  time.Time      `json:"started"`
	Ended    time.Time      `json:"ended"`
}

// MaxPast is how many of the newest ended upgrades a State remembers.
const MaxPast = 100

// Outcomes of an ended upgrade.
const (
	UpgradeCompleted = "completed"
	UpgradeAborted   = "aborted"
)

// foldUpgradeRequested keeps what upgrade.accepted does not repeat: the archives and the signed request.
func (s *State) foldUpgradeRequested(seq uint64, p *events.UpgradeRequested) {
	u := &Upgrade{
		ID: p.Upgrade, Operator: p.Request.Operator, To: p.To,
		Artefacts: make(map[string]tools.Tools, len(p.Artefacts)), Signed: p.Request.Signed, Seq: seq,
	}
	for _, t := range p.Artefacts {
		u.Artefacts[t.Version.Platform()] = t
	}
	s.Asked = u
}

func (s *State) forgetAsked(id string) {
	if s.Asked != nil && s.Asked.ID == id {
		s.Asked = nil
	}
}

func (s *State) foldAccepted(now time.Time, p *events.UpgradeAccepted) {
	if s.Upgrade != nil {
		s.endUpgrade(now, s.Upgrade.ID, UpgradeAborted)
	}
	u := &Upgrade{ID: p.Upgrade, Artefacts: map[string]tools.Tools{}}
	if s.Asked != nil && s.Asked.ID == p.Upgrade {
		u = s.Asked
	}
	s.Asked = nil
	if agreed := s.agreed(p.Upgrade); agreed != nil {
		u = agreed
	}
	u.From, u.To, u.Started = p.From, p.To, now
	u.Machines, u.Done = slices.Clone(p.Machines), map[string]string{}
	u.Keys = make(map[string]string, len(u.Machines))
	for _, id := range u.Machines {
		if m := s.Machines[id]; m != nil {
			u.Keys[id] = m.Key
		}
	}
	s.Upgrade = u
}

func (s *State) foldHalted(p *events.UpgradeHalted) {
	if u := s.Upgrade; u != nil && u.ID == p.Upgrade {
		u.Halted = p.Reasons
	}
}

func (s *State) foldCompleted(now time.Time, p *events.UpgradeCompleted) {
	if s.endUpgrade(now, p.Upgrade, UpgradeCompleted) {
		s.AgentVersion = p.Version
	}
}

// endUpgrade moves the upgrade to Past. It returns false if another upgrade, or none, is in progress.
func (s *State) endUpgrade(now time.Time, id, outcome string) bool {
	u := s.Upgrade
	if u == nil || u.ID != id {
		return false
	}
	s.Past = append(s.Past, PastUpgrade{
		ID: u.ID, From: u.From, To: u.To, Outcome: outcome,
		Operator: u.Operator, Started: u.Started, Ended: now,
	})
	if over := len(s.Past) - MaxPast; over > 0 {
		s.Past = slices.Clone(s.Past[over:])
	}
	s.Upgrade = nil
	return true
}

// missed notes why an archive of the upgrade could not be fetched. u may be nil.
func (u *Upgrade) missed(binary, why string) {
	if u == nil {
		return
	}
	if u.Missed == nil {
		u.Missed = map[string]string{}
	}
	u.Missed[binary] = why
}

// found forgets that an archive could not be fetched. u may be nil.
func (u *Upgrade) found(binary string) {
	if u != nil {
		delete(u.Missed, binary)
	}
}

func (u *Upgrade) clone() *Upgrade {
	if u == nil {
		return nil
	}
	c := *u
	c.Done = maps.Clone(u.Done)
	c.Missed = maps.Clone(u.Missed)
	return &c
}
