package projections

import (
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Unit is one run of a service's workload on a machine.
type Unit struct {
	events.UnitSpec
	Service string         `json:"service"`
	State   string         `json:"state"` // an events.Unit… constant
	Info    string         `json:"info,omitempty"`
	PID     int            `json:"pid,omitempty"`
	Version version.Number `json:"version"` // of its unit agent
	Since   time.Time      `json:"since"`
}

func (s *State) foldUnitAdded(now time.Time, p *events.UnitAdded) {
	service, number, _ := strings.Cut(p.Unit, "/")
	if n, err := strconv.Atoi(number); err == nil && n >= s.NextUnit[service] {
		s.NextUnit[service] = n + 1
	}
	s.Units[p.Unit] = &Unit{UnitSpec: p.UnitSpec, Service: service, State: events.UnitPending, Since: now}
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
