package projections

import (
	"strconv"
	"strings"

	"github.com/jujube-project/jujube/events"
)

// Outcome is what became of a request.
type Outcome struct {
	Action  string          `json:"action"`
	Outcome string          `json:"outcome"` // accepted or refused
	Seq     uint64          `json:"seq"`     // of the first record about the request
	Reasons []events.Reason `json:"reasons,omitempty"`
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
func (s *State) foldRequest(seq uint64, q events.Request) {
	s.setOutcome(q.ID, Outcome{Action: q.Action, Outcome: OutcomeAccepted, Seq: seq})
}

func (s *State) foldRefused(seq uint64, request string, reasons []events.Reason) {
	s.setOutcome(request, Outcome{
		Action: s.Requests[request].Action, Outcome: OutcomeRefused, Seq: seq, Reasons: reasons,
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
		delete(s.Requests, s.recent[0])
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
