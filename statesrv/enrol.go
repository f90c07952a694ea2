package statesrv

import (
	"maps"
	"strings"
	"time"
	"unicode"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// Codes of refused enrolments.
const (
	codeTokenEnvironment = "token-environment"
	codeTokenUnknown     = "token-unknown"
	codeTokenWrong       = "token-wrong"
	codeTokenUsed        = "token-used"
	codeTokenExpired     = "token-expired"
	codeTokenLocked      = "token-locked"
)

// decideEnrolment makes a host with the right token a machine, once. The same host
// asking again, because the answer was lost, is answered again. ends is how long its
// credentials hold: not at all while it waits for approval.
func decideEnrolment(d *draft, r wire.EnrolRequest) (ends time.Time, err error) {
	m := d.state.Machines[r.Machine]
	ends = d.now.Add(settings.Duration(d.state.Settings, "agent-credentials-life"))
	refuseEnrolment := func(code, format string, args ...any) (time.Time, error) {
		return ends, events.Refuse(code, format, args...)
	}
	switch {
	case r.Environment != d.state.UUID:
		return refuseEnrolment(codeTokenEnvironment, "the token is for environment %s, this one is %s", r.Environment, d.state.UUID)
	case m == nil:
		return refuseEnrolment(codeTokenUnknown, "nobody was invited as that machine, or it was removed")
	case m.Life == projections.LifeAlive && m.Key == r.Key && m.Generation == 0:
		return ends, nil
	case m.Life == projections.LifePending && m.Key == r.Key:
		return d.now.Add(-time.Minute), nil
	case m.Life != projections.LifeInvited:
		return refuseEnrolment(codeTokenUsed, "the token was used already; ask for a new one with juju add-machine")
	case m.TokenKey != r.TokenKey:
		return refuseEnrolment(codeTokenWrong, "the token is not the one of that invitation")
	case d.now.After(m.Expires):
		return refuseEnrolment(codeTokenExpired, "the token expired at %s; ask for a new one with juju add-machine", m.Expires.Format("2006-01-02 15:04:05Z"))
	}
	v, err := version.ParseBinary(r.Version)
	if err != nil {
		return refuseEnrolment(bus.TokenMalformed, "%v", err)
	}
	pending := mustWait(d.state, m, r)
	if pending != "" {
		ends = d.now.Add(-time.Minute)
	}
	_, err = d.add(events.MachineTag(r.Machine), "", "", &events.MachineEnrolled{
		Machine: r.Machine, Key: r.Key, Hostname: hostname(r.Hostname), Version: v, StateServer: m.StateServer,
		Host: clip(r.Host, 64), Labels: maps.Clone(m.Labels), Pending: pending,
	})
	return ends, err
}

// mustWait says why a host that may enrol is given nothing before an operator approves it.
func mustWait(s *projections.State, m *projections.Machine, r wire.EnrolRequest) string {
	before := s.Hosts[clip(r.Host, 64)]
	switch {
	case before != "":
		return "its host was machine " + before + " before"
	case m.Approve:
		return "its invitation asks for approval"
	case settings.Value(s.Settings, "enrol-policy") == settings.EnrolApprove:
		return "enrol-policy is " + settings.EnrolApprove
	}
	return ""
}

// hostname is what a host calls itself, made harmless: at most 253 bytes, and nothing
// that a terminal would obey. Source of the limit: RFC 1035.
func hostname(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsGraphic(r) {
			return '?'
		}
		return r
	}, s)
	return clip(s, 253)
}

// clip shortens s to at most n bytes.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// onEnrol queues an enrolment; its credentials leave only after it is in the log.
func (t *term) onEnrol(r bus.Enrolment) {
	if until := t.guesses.locked(r.Machine, t.cfg.Now()); !until.IsZero() {
		t.metrics.garbage("enrol")
		r.Answer(wire.Enrolled{}, events.Refuse(codeTokenLocked, "there were too many wrong tokens for machine %s; nobody enrols as it before %s", r.Machine, until.UTC().Format(time.RFC3339)))
		return
	}
	var ends time.Time
	t.writer.submit(change{
		decide: func(d *draft) (err error) {
			ends, err = decideEnrolment(d, r.EnrolRequest)
			return err
		},
		done: func(_ uint64, err error) {
			if err != nil {
				t.enrolmentRefused(r.EnrolRequest, err)
				r.Answer(wire.Enrolled{}, err)
				return
			}
			token, err := t.cfg.Trust.RenewedJWT(events.MachineTag(r.Machine), r.Key, 0, ends)
			r.Answer(wire.Enrolled{Machine: r.Machine, Environment: r.Environment, JWT: token, URLs: t.cfg.URLs, Root: t.cfg.Site.firstRoot()}, err)
		},
	})
}

// enrolmentRefused notes a refusal, and raises the alarm when somebody guesses. It is
// called by the writer.
func (t *term) enrolmentRefused(r wire.EnrolRequest, err error) {
	t.cfg.Logger.Warn("refused an enrolment", "machine", r.Machine, "key", r.Key, "err", err)
	if events.CodeOf(err) != codeTokenWrong {
		return
	}
	until, locks := t.guesses.wrong(r.Machine, t.cfg.Now())
	if !locks {
		return
	}
	t.writer.submit(change{decide: func(d *draft) error {
		_, err := d.add("", "", "", &events.TokenGuessed{Machine: r.Machine, Tries: maxGuesses, Until: until})
		return err
	}})
}
