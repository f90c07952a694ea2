package projections

import (
	"strconv"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
)

// Outcome is what became of a request.
type Outcome struct {
	Action  string          `json:"action"`
	Outcome string          `json:"outcome"` // accepted or refused
	Seq     uint64          `json:"seq"`     // of the first record about the request
	Reasons []events.Reason `json:"reasons,omitempty"`

	Created   time.Time  `json:"created,omitzero"`    // when it was made, but not later than when it was recorded
	Announced *Announced `json:"announced,omitempty"` // the tools that a sync-tools request announced
}

// Announced are the tools that an operator is about to bring.
type Announced struct {
	Source   string           `json:"source"`
	SignedBy string           `json:"signed_by,omitempty"`
	Unsigned bool             `json:"unsigned,omitempty"`
	Wanted   []version.Binary `json:"wanted"`
}

// MaxRequests is how many of the newest requests a State remembers the outcome of.
const MaxRequests = 10_000

// Outcomes of a request.
const (
	OutcomeAccepted = "accepted"
	OutcomeRefused  = "refused"
)

// foldRequest notes a request as accepted. If it was refused, the refusal follows in the same batch and
// changes that.
func (s *State) foldRequest(r events.Record, q events.Request) {
	created := moment(q.Created)
	if created.After(r.Time) {
		created = r.Time // a clock that runs ahead must not make the requests of others old
	}
	s.setOutcome(q.ID, Outcome{Action: q.Action, Outcome: OutcomeAccepted, Seq: r.Seq, Created: created})
}

func (s *State) announce(p *events.ToolsSyncRequested) {
	o := s.Requests[p.Request.ID]
	o.Announced = &Announced{Source: p.Source, SignedBy: p.SignedBy, Unsigned: p.Unsigned, Wanted: p.Wanted}
	s.Requests[p.Request.ID] = o
}

func (s *State) foldRefused(r events.Record, request string, reasons []events.Reason) {
	s.setOutcome(request, Outcome{
		Action: s.Requests[request].Action, Outcome: OutcomeRefused, Seq: r.Seq, Reasons: reasons, Created: s.Requests[request].Created,
	})
}

// setOutcome sets the outcome of a request and keeps the sequence at which the request was first seen. It
// forgets the oldest request if there are more than MaxRequests.
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
		oldest := s.recent[0]
		if made := s.Requests[oldest].Created; made.After(s.Forgotten) {
			s.Forgotten = made
		}
		delete(s.Requests, oldest)
		s.recent = s.recent[1:]
	}
}

// requestsPosition reads "requests:SEQ", the Causation of the first record that a message in the REQUESTS
// stream led to.
func requestsPosition(causation string) (uint64, bool) {
	digits, ok := strings.CutPrefix(causation, CauseRequests)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

// CauseRequests is how the Causation of the first record that a request led to begins. The sequence of
// the request in the REQUESTS stream follows it.
const CauseRequests = "requests:"
