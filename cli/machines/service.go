package machines

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/warrant"
)

// deployment is what an operator has signed of a service: what its units run.
type deployment struct {
	events.AskDeploy
	by      events.Operator
	request string
	signed  time.Time // by the operator's clock
}

// maxShown is how long a command may be, in bytes, to be shown in full.
const maxShown = 1000

// String says it in a line. Of the environment it shows the names.
func (d deployment) String() string {
	command := fmt.Sprintf("%q", d.Command)
	if len(command) > maxShown {
		command = fmt.Sprintf("%.100s… (%d words, %d bytes, SHA-256 of this text %x)", command, len(d.Command), len(command), sha256.Sum256([]byte(command)))
	}
	spec := d.Spec()
	return fmt.Sprintf("%s is, as %s signed it on %s (request %s): %s, as %s, restart %s, environment [%s]",
		d.Service, d.by.Name, d.signed.Format(time.DateTime), d.request, command, spec.RunsAs(), d.Restart, strings.Join(spec.EnvNames(), " "))
}

// verifier finds out of the log what a service is. Whoever has the state server can write
// anything into the log and leave anything out; what it believes is what an operator signed.
type verifier struct {
	reader warrant.Reader
	me     events.Operator // who will sign it once more
}

// newVerifier believes the roster in the signed metadata that follows on what this client
// has pinned.
func newVerifier(ctx context.Context, a *app.App, s *session.Session) (*verifier, error) {
	site, err := signing.OpenSite(ctx, a, s)
	if err != nil {
		return nil, err
	}
	me, ok := site.Trusted.Roster().Operator(s.Identity.Public())
	if !ok {
		return nil, app.Fail(events.Refuse(events.CodeRequestOperator, "your key %s is no operator's", s.Identity.Public()), "Nothing was asked.", "")
	}
	return &verifier{warrant.Reader{Environment: s.Env.UUID, Trust: site.Trusted, Now: time.Now()}, me}, nil
}

// find reads the whole log for the newest deployment of a service, by the clocks of the
// operators who signed. nil: the log has no unit of that service. When it has some, and
// none whose deployment can be verified, the error says why the last one cannot.
func (v *verifier) find(ctx context.Context, log events.Log, service string) (*deployment, error) {
	last, err := log.Last(ctx)
	if err != nil {
		return nil, err
	}
	var newest *deployment
	var refused error
	for rec, err := range log.Read(ctx, 1, last) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return nil, err
		}
		unit := unitOf(rec, service)
		if err != nil || unit == nil {
			continue
		}
		d, err := v.verify(*unit, service)
		switch {
		case err != nil:
			refused = err
		case newest == nil || d.signed.After(newest.signed):
			newest = d
		}
	}
	if newest == nil {
		return nil, refused
	}
	return newest, nil
}

// unitOf is the unit of a service that a record adds; nil: it adds none.
func unitOf(rec events.Record, service string) *events.UnitSpec {
	if rec.Kind != (*events.UnitAdded)(nil).Kind() {
		return nil
	}
	p, err := events.Decode(rec)
	if added, ok := p.(*events.UnitAdded); ok && err == nil && strings.HasPrefix(added.Unit, service+"/") {
		return &added.UnitSpec
	}
	return nil
}

// verify is the deployment that a unit was added for: a request that is signed by an
// operator on the roster, who may ask for it wherever v.me may. A colleague of a narrower
// scope would else have his command signed for machines over which he has no right. A unit
// that was added by add-unit proves nothing: older clients signed what they were told.
func (v *verifier) verify(unit events.UnitSpec, service string) (*deployment, error) {
	ask, by, err := v.reader.Request(unit.Warrant.Request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", unit.Unit, err)
	}
	if ask.Action != events.ActionDeploy || ask.Deploy == nil || ask.Deploy.Service != service {
		return nil, fmt.Errorf("%s: %w", unit.Unit, events.Refuse(events.CodeNotAsked, "request %s does not deploy %s", ask.ID, service))
	}
	if by.Key != v.me.Key && !by.MayWherever(v.me, events.ActionOf(ask.Action).Role) {
		return nil, fmt.Errorf("%s: %w", unit.Unit, events.Refuse(events.CodeRequestScope, "%s, who deployed it, may do so on fewer machines than you, %s",
			by.Name, v.me.Name))
	}
	d := &deployment{*ask.Deploy, by, ask.ID, ask.Created}
	if d.Restart == "" {
		d.Restart = events.RestartAlways
	}
	return d, nil
}
