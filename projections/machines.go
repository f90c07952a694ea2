package projections

import (
	"strconv"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Machine is one host and its agent. What it reports of itself is its own word.
type Machine struct {
	ID          string         `json:"id"`
	Life        string         `json:"life"` // a Life… constant
	StateServer bool           `json:"state_server,omitempty"`
	TokenKey    string         `json:"token_key,omitempty"` // public key of the token, while it is invited
	Expires     time.Time      `json:"expires,omitzero"`    // of the invitation
	Key         string         `json:"key,omitempty"`       // its public nkey, once enrolled
	Hostname    string         `json:"hostname,omitempty"`
	Version     version.Binary `json:"version"`          // what its agent runs, as it reported last
	Previous    version.Number `json:"previous"`         // what it ran before that
	Units       int            `json:"units,omitempty"`  // what its agent knows of units: see events.AgentStarted
	Started     time.Time      `json:"started,omitzero"` // its agent's last start
	Lost        bool           `json:"lost,omitempty"`
	Since       time.Time      `json:"since"` // when its agent-state began
	Epoch       string         `json:"epoch,omitempty"`
	Reports     uint64         `json:"reports"`           // the highest number of its reports in that epoch
	Before      []Epoch        `json:"before,omitempty"`  // epochs before that one, oldest first
	Failure     *Failed        `json:"failure,omitempty"` // of its last upgrade, until an upgrade succeeds

	// Heads are the sizes of the checkpoints of the log that came with its orders. It remembers
	// one of them, or none: the state server does not know which, so proofs for it start from
	// each.
	Heads []uint64 `json:"heads,omitempty"`

	// Fork is why it does nothing that a new order says: the log that it is shown is not the one that it has
	// seen before. It holds until the machine works on an order, or starts anew.
	Fork string `json:"fork,omitempty"`

	Ended    string    `json:"ended,omitempty"`     // the order that its agent ended last; the end of this order is not recorded twice
	Adrift   string    `json:"adrift,omitempty"`    // the order that it still works on although the order is not open any more
	Denied   []Denied  `json:"denied,omitempty"`    // builds that it refuses, oldest first
	Resolved bool      `json:"resolved,omitempty"`  // an operator cleared Denied; its next order repeats that
	Unproven bool      `json:"unproven,omitempty"`  // its version took a step that cannot be undone, and never proved itself
	NoReturn *NoReturn `json:"no_return,omitempty"` // such a step in the order that it works on: it does not go back by itself

	Labels  map[string]string `json:"labels,omitempty"`
	Host    string            `json:"host,omitempty"`    // digest of what distinguishes its host
	Approve bool              `json:"approve,omitempty"` // while it is invited: it will wait for approval
	Pending string            `json:"pending,omitempty"` // why it waits for approval

	Generation uint64    `json:"generation,omitempty"` // how often its credentials were renewed
	Nonce      string    `json:"nonce,omitempty"`      // of the question for the newest credentials
	Renewed    time.Time `json:"renewed,omitzero"`     // when it got the newest credentials
	Readmitted bool      `json:"readmitted,omitempty"` // approved after a quarantine: its next renewal may name any generation
	Quarantine string    `json:"quarantine,omitempty"` // why it is shut out
}

// Epoch is how many reports an agent told in one life of its outbox.
type Epoch struct {
	Name    string `json:"name"`
	Reports uint64 `json:"reports"` // the highest number
}

// maxEpochs is how many epochs before the present one a State keeps of a machine.
const maxEpochs = 16

// NoReturn is an upgrade step that cannot be undone, and the order in which it was taken.
type NoReturn struct {
	Order string `json:"order"`
	Step  string `json:"step"`
}

// Denied is a build that a machine refuses, because the build failed there by its own fault.
type Denied struct {
	Tools tools.Tools `json:"tools"`
	Why   string      `json:"why"`
	Time  time.Time   `json:"time"`
}

// A machine is invited, then enrolls. If the policy asks for it, it then waits for approval. A machine
// that is removed is deleted from the state.
const (
	LifeInvited = "invited"
	LifePending = "pending" // enrolled and not approved: it gets no credentials and no orders

	LifeQuarantined = "quarantined" // shut out: two hosts have its key
	LifeAlive       = "alive"
)

// Failed is what went wrong with a machine's last order.
type Failed struct {
	events.Failure
	Order      string         `json:"order"`
	To         version.Number `json:"to"`
	RolledBack bool           `json:"rolled_back,omitempty"`
	Time       time.Time      `json:"time"`
}

func (s *State) foldInvited(now time.Time, p *events.MachineInvited) {
	s.countMachine(p.Machine)
	if m := s.Machines[p.Machine]; m != nil && m.Life != LifeInvited {
		return
	}
	s.Machines[p.Machine] = &Machine{
		ID: p.Machine, Life: LifeInvited, StateServer: p.StateServer,
		TokenKey: p.TokenKey, Expires: moment(p.Expires), Since: now, Labels: p.Labels, Approve: p.Approve,
	}
}

func (s *State) foldEnrolled(now time.Time, p *events.MachineEnrolled) {
	s.countMachine(p.Machine)
	m := &Machine{
		ID: p.Machine, Life: LifeAlive, StateServer: p.StateServer,
		Key: p.Key, Hostname: p.Hostname, Version: p.Version, Since: now,
		Host: p.Host, Labels: p.Labels, Pending: p.Pending,
	}
	if p.Pending != "" {
		m.Life = LifePending
	}
	if p.Host != "" {
		s.Hosts[p.Host] = p.Machine
	}
	s.Machines[p.Machine] = m
}

// MustWait says why a host that may enrol as machine m is given nothing before an operator approves it; empty:
// it need not wait. host is the digest of the host.
func (s *State) MustWait(m *Machine, host string) string {
	switch before := s.Hosts[host]; {
	case before != "":
		return "its host was machine " + before + " before"
	case m.Approve:
		return "its invitation asks for approval"
	case settings.Value(s.Settings, "enrol-policy") == settings.EnrolApprove:
		return "enrol-policy is " + settings.EnrolApprove
	}
	return ""
}

func (s *State) foldApproved(now time.Time, p *events.MachineApproved) {
	m := s.Machines[p.Machine]
	if m == nil || (m.Life != LifePending && m.Life != LifeQuarantined) {
		return
	}
	m.Readmitted = m.Life == LifeQuarantined
	m.Life, m.Pending, m.Quarantine, m.Since = LifeAlive, "", "", now
}

func (s *State) foldQuarantined(now time.Time, p *events.MachineQuarantined) {
	if m := s.Machines[p.Machine]; m != nil && m.Life != LifeInvited {
		m.Life, m.Quarantine, m.Since = LifeQuarantined, p.Text+" ("+p.Code+")", now
		s.revoke(m.Key, now)
	}
}

func (s *State) foldRenewed(now time.Time, p *events.MachineRenewed) {
	if m := s.Machines[p.Machine]; m != nil {
		m.Generation, m.Nonce, m.Renewed, m.Readmitted = p.Generation, p.Nonce, now, false
	}
}

func (s *State) foldRemoved(now time.Time, id string) {
	if m := s.Machines[id]; m != nil && m.Key != "" {
		s.revoke(m.Key, now)
	}
	delete(s.Machines, id)
}

// revoke adds a key to those whose credentials are revoked. It removes keys that were revoked so long ago
// that all their credentials have expired since.
func (s *State) revoke(key string, now time.Time) {
	for k, t := range s.Revoked {
		if now.Sub(t) > settings.MaxCredentialsLife {
			delete(s.Revoked, k)
		}
	}
	s.Revoked[key] = now
}

// countMachine keeps NextMachine above every id that was ever used, so that no id is used again.
func (s *State) countMachine(id string) {
	if n, err := strconv.Atoi(id); err == nil && n >= s.NextMachine {
		s.NextMachine = n + 1
	}
}

func (s *State) foldPresence(now time.Time, id string, lost bool) {
	if m := s.Machines[id]; m != nil && m.Lost != lost {
		m.Lost, m.Since = lost, now
	}
}
