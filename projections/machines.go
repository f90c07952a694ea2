package projections

import (
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/version"
)

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

// revoke adds the key to those whose credentials are revoked, and forgets the keys that were
// revoked so long ago that their credentials have expired since.
func (s *State) revoke(key string, now time.Time) {
	for k, t := range s.Revoked {
		if now.Sub(t) > settings.MaxCredentialsLife {
			delete(s.Revoked, k)
		}
	}
	s.Revoked[key] = now
}

// dismiss revokes the credentials of operators who are not among those of now any more,
// and forgives those who are again.
func (s *State) dismiss(before, after []events.Operator, now time.Time) {
	for _, o := range before {
		s.Dismissed[o.Key] = now
	}
	for _, o := range after {
		delete(s.Dismissed, o.Key)
	}
}

// countMachine keeps NextMachine above every id that was ever given out.
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

func (s *State) foldUnitAdded(now time.Time, p *events.UnitAdded) {
	service, number, _ := strings.Cut(p.Unit, "/")
	if n, err := strconv.Atoi(number); err == nil && n >= s.NextUnit[service] {
		s.NextUnit[service] = n + 1
	}
	s.Units[p.Unit] = &Unit{UnitSpec: p.UnitSpec, Service: service, State: events.UnitPending, Since: now}
}

// foldReport applies what an agent told. Reports of an unknown machine, and those whose
// number was folded before, change nothing.
func (s *State) foldReport(now time.Time, p events.Report) {
	head := p.Head()
	m := s.Machines[head.Machine]
	if m == nil || m.Seen(head) {
		return
	}
	m.Epoch, m.Reports = head.Epoch, head.N
	switch p := p.(type) {
	case *events.AgentStarted:
		m.runs(p.Version)
		m.Started, m.Since = now, now
		if m.Adrift = p.Order; p.Order == m.Ended || s.isOpen(m.ID, p.Order) {
			m.Adrift = ""
		}
		m.Unproven = m.Unproven || p.Unproven
		if p.NoReturn != "" && p.Order != m.Ended {
			m.NoReturn = &NoReturn{p.Order, p.NoReturn}
		}
	case *events.UnitStateChanged:
		s.foldUnitState(now, p)
	default:
		s.foldOrderReport(now, m, p)
	}
}

// Seen says that a report with this head was folded before: the ingest answers
// "duplicate" and appends nothing.
func (m *Machine) Seen(h events.ReportHead) bool {
	return h.Epoch == m.Epoch && h.N <= m.Reports
}

// runs notes the version that a machine's agent says it is.
func (m *Machine) runs(v version.Binary) {
	if m.Version.Number != v.Number {
		m.Previous = m.Version.Number
	}
	m.Version = v
}

func (s *State) foldUnitState(now time.Time, p *events.UnitStateChanged) {
	u := s.Units[p.Unit]
	if u == nil || u.Machine != p.Machine {
		return
	}
	if u.State != p.State || u.Since.IsZero() {
		u.Since = now
	}
	u.State, u.Info, u.PID, u.Version = p.State, p.Info, p.PID, p.Version
}
