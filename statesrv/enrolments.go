package statesrv

import (
	"log/slog"
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
	garbage func(what string)
	logger  *slog.Logger
}

// onEnrol queues an enrolment. The host gets its credentials only after the log has the enrolment.
//
// Wrong tokens are counted and change nothing, however many there are: a token's secret has 256 bits, so
// nobody guesses it, and whoever could shut out others by wrong tokens would do that.
func (s *enrolments) onEnrol(r bus.Enrolment) {
	var out decide.Enrolment
	s.writer.Submit(writer.Change{
		Decide: func(at decide.At) (d decide.Decision, err error) {
			d, out = decide.Enrol(at, r.EnrolRequest, r.Sealed)
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

// refused logs a refusal, and counts a wrong token.
func (s *enrolments) refused(r wire.EnrolRequest, out decide.Enrolment) {
	s.logger.Warn("refused an enrolment", "machine", r.Machine, "key", r.Key, "err", out.Refused)
	if out.Guessed() {
		s.garbage("enrol")
	}
}
