package decide

import (
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/warrant"
	"github.com/jujube-project/jujube/projections"
)

// believed is the published metadata as the state has it. It accepts every archive: which archives are signed
// is checked by Blockers, and again by each machine.
type believed struct{ state *projections.State }

func (b believed) Roster() events.Roster { return b.state.Trust.Roster }

func (b believed) Floor() version.Number {
	if b.state.Trust.Floor == nil {
		return version.Number{}
	}
	return *b.state.Trust.Floor
}

func (b believed) Revoked() events.Revoked {
	if b.state.Trust.Revoked == nil {
		return events.Revoked{}
	}
	return *b.state.Trust.Revoked
}

func (b believed) Tools(tools.Tools) error { return nil }

// reader checks what operators signed, at a state.
func reader(s *projections.State, now time.Time) warrant.Reader {
	return warrant.Reader{Environment: s.UUID, Trust: believed{s}, Now: now}
}
