package projections

import (
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/tools/tuf"
)

// Publication is what the newest published metadata says, and where in the log that is. Before
// the first publication it holds the operators that the environment began with, and no bundle.
type Publication struct {
	events.TrustPublished
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`

	Documents []byte `json:"documents,omitempty"` // what proves it: a tuf.Trusted; none: the log is from before facts had to be proven
}

// foldTrust replaces the publication, which publication has verified.
func (s *State) foldTrust(r events.Record, p *events.TrustPublished) {
	s.dismiss(s.Trust.Roster.Operators, p.Roster.Operators, s.Time)
	s.Trust = Publication{TrustPublished: *p, Seq: r.Seq, Time: s.Time}
	s.Trust.Fresh, s.Trust.Expires = moment(p.Fresh), moment(p.Expires)
	if !s.next.IsZero() {
		s.trusted, s.next = s.next, tuf.Trusted{}
		s.Trust.Documents, s.Root = s.trusted.Marshal(), s.trusted.Anchor().SHA256
	}
}

// foldPart keeps a part of signed metadata until the publication that it proves.
func (s *State) foldPart(p *events.TrustSigned) {
	if p.Part == 0 {
		s.Parts = nil
	}
	s.Parts = append(s.Parts[:len(s.Parts):len(s.Parts)], p.Data)
}

// Trusted is the published metadata as the fold has verified it. It is zero for a log whose facts need no
// cause yet.
func (s *State) Trusted() tuf.Trusted {
	if s.trusted.IsZero() && len(s.Trust.Documents) > 0 {
		s.trusted, _ = tuf.ParseTrusted(s.Trust.Documents) // the digest of the snapshot holds for it
	}
	return s.trusted
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

// dismiss revokes the credentials of operators who are off the roster, and of those who only read from
// now on: with what they have they could go on to send requests. They get new credentials, which were
// made later. Who may ask for something keeps his own, or gets back those that he had.
func (s *State) dismiss(before, after []events.Operator, now time.Time) {
	mayAsk := map[string]bool{}
	for _, o := range after {
		mayAsk[o.Key] = o.MayAsk()
		if mayAsk[o.Key] {
			delete(s.Dismissed, o.Key)
		}
	}
	for _, o := range before {
		if asks, stays := mayAsk[o.Key]; !stays || o.MayAsk() && !asks {
			s.Dismissed[o.Key] = now
		}
	}
}
