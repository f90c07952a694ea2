package statesrv

import (
	"log/slog"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// issuer signs credentials of machines; server.Accounts is one.
type issuer interface {
	RenewedJWT(tag, key string, generation uint64, ends time.Time) (string, error)
}

// enrolments enrols hosts that have a join token as machines.
type enrolments struct {
	writer  *writer.Writer
	issuer  issuer
	urls    []string // where enrolled machines connect
	root    []byte   // first root of the site's signed metadata
	now     func() time.Time
	garbage func(what string)
	logger  *slog.Logger

	mu      sync.Mutex     // guards guesses: the bus calls onEnrol, the writer's goroutine counts
	guesses decide.Guesses // it has no lock of its own
}

// onEnrol queues an enrolment. The host gets its credentials only after the log has the enrolment. A
// machine at whose token somebody guesses is refused before the queue, so that guessing costs the
// writer nothing.
func (s *enrolments) onEnrol(r bus.Enrolment) {
	if refused := s.locked(r.Machine); refused != nil {
		s.garbage("enrol")
		r.Answer(wire.Enrolled{}, refused)
		return
	}
	var out decide.Enrolment
	s.writer.Submit(writer.Change{
		Decide: func(at decide.At) (d decide.Decision, err error) {
			d, out = decide.Enrol(at, r.EnrolRequest)
			return d, nil
		},
		Done: func(_ uint64, err error) {
			if err == nil && out.Refused != nil {
				s.refused(r.EnrolRequest, out)
				err = out.Refused
			}
			if err != nil {
				r.Answer(wire.Enrolled{}, err)
				return
			}
			token, err := s.issuer.RenewedJWT(events.MachineTag(r.Machine), r.Key, 0, out.Ends)
			r.Answer(wire.Enrolled{Machine: r.Machine, Environment: r.Environment, JWT: token, URLs: s.urls, Root: s.root}, err)
		},
	})
}

// locked is the refusal of a machine for which there were too many wrong tokens; nil: it may enrol.
func (s *enrolments) locked(machine string) *events.Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.guesses.Locked(machine, s.now())
}

// refused logs a refusal. It counts a wrong token, and records the alarm when there were too many.
func (s *enrolments) refused(r wire.EnrolRequest, out decide.Enrolment) {
	s.logger.Warn("refused an enrolment", "machine", r.Machine, "key", r.Key, "err", out.Refused)
	if !out.Guessed() {
		return
	}
	s.mu.Lock()
	alarm := s.guesses.Wrong(r.Machine, s.now())
	s.mu.Unlock()
	if alarm != nil {
		s.writer.Submit(writer.Change{Decide: func(decide.At) (decide.Decision, error) { return decide.TokenGuessed(alarm), nil }})
	}
}
