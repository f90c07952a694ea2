package machines

import (
	"context"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// provedKey finds out of the log which key a machine has, and believes no state server for it.
// An operator's signed add-machine names the key of a join token; the key of that token has
// signed which host became that machine; and both lie in the log. The token's secret was only
// ever known to that operator and that host.
//
// The operator must be one who may ask for units wherever v.me may: else a colleague with a
// narrower scope could have values sealed for a host of his own.
func (v *verifier) provedKey(ctx context.Context, log events.Log, machine string) (string, error) {
	last, err := log.Last(ctx)
	if err != nil {
		return "", err
	}
	tokens := map[string]bool{}
	key := ""
	for rec, err := range log.Read(ctx, 1, last) {
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			return "", err
		}
		p, err := events.Decode(rec)
		if err != nil {
			continue
		}
		switch p := p.(type) {
		case *events.RequestReceived:
			v.invited(p.Request, tokens)
		case *events.MachineEnrolled:
			if host, err := wire.OpenEnrolment(p.Asked); err == nil && v.proves(host, machine, tokens) {
				key = host.Key
			}
		}
	}
	if key == "" {
		return "", app.Fail(
			fmt.Errorf("the key of machine %s cannot be proved: the log does not show an operator's invitation and what the host signed with it", machine),
			"Nothing was asked; the values of the environment were not sent.",
			"compare: jujud machine-key prints it on that machine; then the same again with --machine-key KEY")
	}
	return key, nil
}

// invited notes the tokens of a request that invites machines, if its signature holds.
func (v *verifier) invited(r events.Request, tokens map[string]bool) {
	if r.Action != events.ActionAddMachine {
		return
	}
	ask, by, err := v.reader.Request(r.Signed)
	if err != nil || ask.Action != events.ActionAddMachine || ask.AddMachine == nil || !by.Somewhere(events.RoleAdmin) {
		return
	}
	if by.Key != v.me.Key && !by.MayWherever(v.me, events.RoleOperate) {
		return
	}
	for _, key := range ask.AddMachine.TokenKeys {
		tokens[key] = true
	}
}

// proves says whether a host's enrolment was for that machine, with a token that was noted.
func (v *verifier) proves(host wire.EnrolRequest, machine string, tokens map[string]bool) bool {
	return host.Environment == v.reader.Environment && host.Machine == machine && tokens[host.TokenKey]
}
