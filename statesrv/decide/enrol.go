package decide

import (
	"maps"
	"strings"
	"time"
	"unicode"

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
)

// Enrolment is what becomes of a host that asked to be enrolled.
type Enrolment struct {
	Ends    time.Time      // how long its credentials hold; it is over already while the host waits for approval
	Refused *events.Reason // nil: the host is that machine
}

// Guessed says that the host had the wrong token.
func (e Enrolment) Guessed() bool { return e.Refused != nil && e.Refused.Code == codeTokenWrong }

// Enrol makes a host with the right token a machine, once. The same host that asks again,
// because the answer was lost, is answered again. sealed is the request with its signatures.
func Enrol(at At, r wire.EnrolRequest, sealed []byte) (Decision, Enrolment) {
	m := at.State.Machines[r.Machine]
	refuse := func(code, format string, args ...any) (Decision, Enrolment) {
		return Decision{}, Enrolment{Refused: events.Refuse(code, format, args...)}
	}
	granted := Enrolment{Ends: at.Now.Add(settings.Duration(at.State.Settings, "agent-credentials-life"))}
	waiting := Enrolment{Ends: at.Now.Add(-time.Minute)} // credentials that hold no more
	switch {
	case r.Environment != at.State.UUID:
		return refuse(codeTokenEnvironment, "the token is for environment %s, this one is %s", r.Environment, at.State.UUID)
	case m == nil:
		return refuse(codeTokenUnknown, "nobody was invited as that machine, or it was removed")
	case m.Life == projections.LifeAlive && m.Key == r.Key && m.Generation == 0:
		return Decision{}, granted
	case m.Life == projections.LifePending && m.Key == r.Key:
		return Decision{}, waiting
	case m.Life != projections.LifeInvited:
		return refuse(codeTokenUsed, "the token was used already; ask for a new one with juju add-machine")
	case m.TokenKey != r.TokenKey:
		return refuse(codeTokenWrong, "the token is not the one of that invitation")
	case at.Now.After(m.Expires):
		return refuse(codeTokenExpired, "the token expired at %s; ask for a new one with juju add-machine", m.Expires.Format("2006-01-02 15:04:05Z"))
	}
	v, err := version.ParseBinary(r.Version)
	if err != nil {
		return refuse(events.CodeTokenMalformed, "%v", err)
	}
	pending := at.State.MustWait(m, clip(r.Host, 64))
	enrolled := &events.MachineEnrolled{
		Machine: r.Machine, Key: r.Key, Hostname: hostname(r.Hostname), Version: v, StateServer: m.StateServer,
		Host: clip(r.Host, 64), Labels: maps.Clone(m.Labels), Pending: pending, Asked: sealed,
	}
	if pending != "" {
		granted = waiting
	}
	return Decision{Facts: []Fact{{Actor: events.MachineTag(r.Machine), Payload: enrolled}}}, granted
}

// hostname is what a host calls itself, made harmless: at most 253 bytes, and nothing that a
// terminal would obey. Source of the limit: RFC 1035.
func hostname(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsGraphic(r) {
			return '?'
		}
		return r
	}, s)
	return clip(s, 253)
}

// clip shortens s to at most n bytes, and leaves no half character.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
