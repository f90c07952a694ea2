package statesrv

import (
	"fmt"
	"time"

	"github.com/jujube-project/jujube/bus"
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

// renewal is what became of a wish for new credentials.
type renewal struct {
	generation uint64
	ends       time.Time
	refused    *events.Reason
}

// decideRenewal gives a machine the next generation of credentials, once for each nonce. A
// generation that another nonce has had already is a copy of the machine's files: the
// machine is shut out.
func decideRenewal(d *draft, r wire.RenewRequest) (renewal, error) {
	m := d.state.Machines[r.Machine]
	life := settings.Duration(d.state.Settings, "agent-credentials-life")
	out := renewal{ends: d.now.Add(life)}
	refuse := func(code, format string, args ...any) (renewal, error) {
		return renewal{refused: events.Refuse(code, format, args...)}, nil
	}
	switch {
	case r.Environment != d.state.UUID:
		return refuse(codeTokenEnvironment, "the machine is of environment %s, this one is %s", r.Environment, d.state.UUID)
	case m == nil || m.Key != r.Key || m.Life == projections.LifeInvited:
		return refuse(codeNotMachine, "this key is not machine %s's: it was removed, or enrolled anew", r.Machine)
	case m.Life == projections.LifePending:
		return refuse(codePending, "machine %s waits for juju approve-machine %s: %s", m.ID, m.ID, m.Pending)
	case m.Life == projections.LifeQuarantined:
		return refuse(events.CodeClone, "machine %s is shut out: %s; juju approve-machine %s lets it in again", m.ID, m.Quarantine, m.ID)
	case d.now.Unix() <= d.state.Revoked[m.Key].Unix():
		return refuse(codeTooEarly, "its credentials were revoked a moment ago; it asks again")
	case !m.Readmitted && r.Generation+1 == m.Generation && r.Nonce == m.Nonce:
		out.generation = m.Generation // the answer was lost: the same again
		return out, nil
	case !m.Readmitted && r.Generation != m.Generation:
		why := fmt.Sprintf("credentials of generation %d were renewed by somebody else: a copy of its files, or a backup of them, is in use", r.Generation)
		if err := decideQuarantine(d, m.ID, why); err != nil {
			return out, err
		}
		return refuse(events.CodeClone, "%s", why)
	case !m.Readmitted && d.now.Before(m.Renewed.Add(life/renewalsPerLife)):
		return refuse(codeTooEarly, "its credentials were renewed at %s; nothing is due", m.Renewed.Format(time.RFC3339))
	}
	out.generation = max(m.Generation, r.Generation) + 1
	_, err := d.add(events.MachineTag(m.ID), "", "", &events.MachineRenewed{Machine: m.ID, Generation: out.generation, Nonce: r.Nonce})
	return out, err
}

// renewalsPerLife bounds how often a machine may renew: the log has each.
const renewalsPerLife = 10

// onRenew queues a renewal; its credentials leave only after it is in the log.
func (t *term) onRenew(r bus.Renewal) {
	var out renewal
	t.writer.submit(change{
		decide: func(d *draft) (err error) {
			out, err = decideRenewal(d, r.RenewRequest)
			return err
		},
		done: func(_ uint64, err error) {
			if err == nil && out.refused != nil {
				t.cfg.Logger.Warn("refused to renew credentials", "machine", r.Machine, "key", r.Key, "err", out.refused)
				err = out.refused
			}
			if err != nil {
				r.Answer(wire.Renewed{}, err)
				return
			}
			r.Answer(t.renewed(r.RenewRequest, out))
		},
	})
}

func (t *term) renewed(r wire.RenewRequest, out renewal) (answer wire.Renewed, err error) {
	answer.URLs = t.cfg.URLs
	if t.cfg.Authorities != "" {
		if answer.Authorities, err = bus.PinnedAuthorities(t.cfg.Authorities); err != nil {
			return answer, err
		}
	}
	answer.JWT, err = t.cfg.Trust.RenewedJWT(events.MachineTag(r.Machine), r.Key, out.generation, out.ends)
	return answer, err
}
