package projections

import "github.com/jujube-project/jujube/events"

// MaxRequests is how many of the newest requests a State remembers the outcome of.
const MaxRequests = 10_000

// Outcomes of a request.
const (
	OutcomeAccepted = "accepted"
	OutcomeRefused  = "refused"
)

func (s *State) foldCreated(p *events.EnvironmentCreated) bool {
	if s.UUID != "" {
		return false // only the first one made the environment
	}
	s.UUID, s.Name, s.AgentVersion = p.UUID, p.Name, p.AgentVersion
	s.Trust.Roster.Operators = p.Operators
	return true
}

// foldTrust takes over what was published. The state server verified that it follows on what
// was there; a timestamp's version may go back, when its key was replaced.
func (s *State) foldTrust(r events.Record, p *events.TrustPublished) {
	s.dismiss(s.Trust.Roster.Operators, p.Roster.Operators, s.Time)
	s.Trust = Trust{TrustPublished: *p, Seq: r.Seq, Time: s.Time}
	s.Trust.Fresh, s.Trust.Expires = moment(p.Fresh), moment(p.Expires)
}

func (s *State) foldSetting(p *events.SettingChanged) {
	if p.Unset {
		delete(s.Settings, p.Key)
		return
	}
	s.Settings[p.Key] = p.Value
}

// foldRequest notes a request as accepted; a refusal behind it, in the same batch,
// corrects that.
func (s *State) foldRequest(seq uint64, q events.Request) {
	s.setOutcome(q.ID, Outcome{Action: q.Action, Outcome: OutcomeAccepted, Seq: seq})
}

func (s *State) foldRefused(seq uint64, request string, reasons []events.Reason) {
	s.setOutcome(request, Outcome{
		Action: s.Requests[request].Action, Outcome: OutcomeRefused, Seq: seq, Reasons: reasons,
	})
}

// setOutcome keeps the first sequence that a request was seen at, and forgets the
// oldest request beyond MaxRequests.
func (s *State) setOutcome(id string, o Outcome) {
	old, known := s.Requests[id]
	if known {
		o.Seq = old.Seq
		s.Requests[id] = o
		return
	}
	s.Requests[id] = o
	s.recent = append(s.recent, id)
	if len(s.recent) > MaxRequests {
		delete(s.Requests, s.recent[0])
		s.recent = s.recent[1:]
	}
}
