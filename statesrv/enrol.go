package statesrv

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/projections"
)

// decideEnrolment makes a host with the right token a machine, once. The same host
// asking again, because the answer was lost, is answered again.
func decideEnrolment(d *draft, r bus.EnrolRequest) error {
	m := d.state.Machines[r.Machine]
	switch {
	case r.Environment != d.state.UUID:
		return fmt.Errorf("the token is for environment %s, this one is %s", r.Environment, d.state.UUID)
	case m == nil:
		return errors.New("nobody was invited as that machine, or it was removed")
	case m.Life == projections.LifeAlive && m.Key == r.Key:
		return nil
	case m.Life == projections.LifeAlive:
		return errors.New("the token was used already; ask for a new one with juju add-machine")
	case m.TokenKey != r.TokenKey:
		return errors.New("the token is not the one of that invitation")
	case d.now.After(m.Expires):
		return fmt.Errorf("the token expired at %s; ask for a new one with juju add-machine", m.Expires.Format("2006-01-02 15:04:05Z"))
	}
	v, err := version.ParseBinary(r.Version)
	if err != nil {
		return err
	}
	_, err = d.add(events.MachineTag(r.Machine), "", "", &events.MachineEnrolled{
		Machine: r.Machine, Key: r.Key, Hostname: clip(r.Hostname, 253), Version: v, StateServer: m.StateServer,
	})
	return err
}

// clip shortens s to at most n bytes.
func clip(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// onEnrol queues an enrolment; its credentials leave only after it is in the log.
func (t *term) onEnrol(r bus.EnrolRequest) {
	t.writer.submit(change{
		decide: func(d *draft) error { return decideEnrolment(d, r) },
		done: func(_ uint64, err error) {
			if err != nil {
				r.Answer(bus.Enrolled{}, err)
				return
			}
			token, err := t.cfg.Trust.AgentJWT(events.MachineTag(r.Machine), r.Key)
			r.Answer(bus.Enrolled{Machine: r.Machine, Environment: r.Environment, JWT: token, URLs: t.cfg.URLs}, err)
		},
	})
}
