package projections

import (
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
)

// Publication is what the newest published metadata says, and where in the log that is. Before
// the first publication it holds the operators that the environment began with, and no bundle.
type Publication struct {
	events.TrustPublished
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
}

// foldTrust replaces the publication. It compares no versions: the state server has verified that the new
// one may follow the old one, and the version of a timestamp may even be lower, if its key was replaced.
func (s *State) foldTrust(r events.Record, p *events.TrustPublished) {
	s.dismiss(s.Trust.Roster.Operators, p.Roster.Operators, s.Time)
	s.Trust = Publication{TrustPublished: *p, Seq: r.Seq, Time: s.Time}
	s.Trust.Fresh, s.Trust.Expires = moment(p.Fresh), moment(p.Expires)
}

// Publishers says whose trees of tools the environment takes in, and where they lie: as the release
// managers have signed it. In an environment that began before they signed that, the settings say it.
func (s *State) Publishers() events.Publishers {
	if s.Trust.Publishers != nil {
		return *s.Trust.Publishers
	}
	p := events.Publishers{
		Signers:  settings.Words(settings.Value(s.Settings, "tools-signers")),
		Unsigned: settings.Words(settings.Value(s.Settings, "tools-unsigned")),
	}
	if source := settings.Value(s.Settings, "tools-source"); source != "" && source != settings.NoSource {
		p.Sources = []string{source}
	}
	return p
}

// dismiss revokes the credentials of operators who were on the roster before and are not any more. The
// credentials of operators who are on the roster are not revoked, even if they were dismissed earlier.
func (s *State) dismiss(before, after []events.Operator, now time.Time) {
	for _, o := range before {
		s.Dismissed[o.Key] = now
	}
	for _, o := range after {
		delete(s.Dismissed, o.Key)
	}
}
