package decide

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/settings"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// Codes of refused renewals, beside events.CodeClone and token-environment.
const (
	codeNotMachine = "not-a-machine"
	codePending    = "pending"
	codeTooEarly   = "too-early"
)

// Renewal is what becomes of a machine's wish for new credentials.
type Renewal struct {
	Generation uint64
	Ends       time.Time
	Refused    *events.Reason // nil: it gets credentials of that generation
}

// renewalsPerLife bounds how often a machine may renew: the log has each.
const renewalsPerLife = 10

// Renew gives a machine the next generation of credentials, once for each nonce. If another
// nonce has had that generation already, a copy of the machine's files is in use: the
// machine is shut out.
func Renew(at At, r wire.RenewRequest) (Decision, Renewal) {
	m := at.State.Machines[r.Machine]
	life := settings.Duration(at.State.Settings, "agent-credentials-life")
	refuse := func(code, format string, args ...any) (Decision, Renewal) {
		return Decision{}, Renewal{Refused: events.Refuse(code, format, args...)}
	}
	switch {
	case r.Environment != at.State.UUID:
		return refuse(codeTokenEnvironment, "the machine is of environment %s, this one is %s", r.Environment, at.State.UUID)
	case m == nil || m.Key != r.Key || m.Life == projections.LifeInvited:
		return refuse(codeNotMachine, "this key is not machine %s's: it was removed, or enrolled anew", r.Machine)
	case m.Life == projections.LifePending:
		return refuse(codePending, "machine %s waits for juju approve-machine %s: %s", m.ID, m.ID, m.Pending)
	case m.Life == projections.LifeQuarantined:
		return refuse(events.CodeClone, "machine %s is shut out: %s; juju approve-machine %s lets it in again", m.ID, m.Quarantine, m.ID)
	case at.Now.Unix() <= at.State.Revoked[m.Key].Unix():
		return refuse(codeTooEarly, "its credentials were revoked a moment ago; it asks again")
	case !m.Readmitted && r.Generation+1 == m.Generation && r.Nonce == m.Nonce:
		return Decision{}, Renewal{Generation: m.Generation, Ends: at.Now.Add(life)} // the answer was lost: the same again
	case !m.Readmitted && r.Generation != m.Generation:
		why := fmt.Sprintf("credentials of generation %d were renewed by somebody else: a copy of its files, or a backup of them, is in use", r.Generation)
		_, out := refuse(events.CodeClone, "%s", why)
		return Quarantine(at, m.ID, why), out
	case !m.Readmitted && at.Now.Before(m.Renewed.Add(life/renewalsPerLife)):
		return refuse(codeTooEarly, "its credentials were renewed at %s; nothing is due", m.Renewed.Format(time.RFC3339))
	}
	next := max(m.Generation, r.Generation) + 1
	renewed := Fact{Actor: events.MachineTag(m.ID), Payload: &events.MachineRenewed{Machine: m.ID, Generation: next, Nonce: r.Nonce}}
	return Decision{Facts: []Fact{renewed}}, Renewal{Generation: next, Ends: at.Now.Add(life)}
}
