package machines

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// invitations makes a join token for each place in the decision. secrets are the keys that were made
// for them, by public key.
func (m *addMachine) invitations(env app.Environment, recs []events.Record, secrets map[string]*bus.Identity, enrol wire.Credentials) ([]bus.JoinToken, error) {
	var tokens []bus.JoinToken
	for _, rec := range recs {
		payload, err := events.Decode(rec)
		if err != nil {
			return nil, err
		}
		invited, ok := payload.(*events.MachineInvited)
		if !ok || secrets[invited.TokenKey] == nil {
			continue
		}
		if !maps.Equal(invited.Labels, m.labels) {
			return nil, app.Fail(fmt.Errorf("the state server invited machine %s with %s, not with %s as it was asked", invited.Machine,
				events.LabelsText(invited.Labels), events.LabelsText(m.labels)),
				"No token was handed out.", "find out who answers as the state server; juju remove-machine "+invited.Machine)
		}
		t, err := m.token(env, invited, secrets[invited.TokenKey], enrol)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}

func (m *addMachine) token(env app.Environment, invited *events.MachineInvited, secret *bus.Identity, enrol wire.Credentials) (bus.JoinToken, error) {
	pinned, err := bus.PinnedAuthorities(m.app.Store().AuthoritiesFile(env.Name))
	if err != nil {
		return bus.JoinToken{}, err
	}
	anchor, err := signing.SiteRepository(m.app.Store(), env.Name).Anchor()
	if err != nil {
		return bus.JoinToken{}, err
	}
	return bus.JoinToken{
		Environment: env.UUID, Name: env.Name, Machine: invited.Machine, URLs: env.URLs, Authorities: pinned, Seed: string(secret.Seed()),
		Labels: m.labels, Anchor: anchor.SHA256, Enrol: bus.Credentials(enrol),
	}, nil
}

// welcome starts the machine on this host, or prints how to start it on another one.
func (m *addMachine) welcome(ctx context.Context, env app.Environment, token bus.JoinToken) error {
	if m.local {
		return m.startLocal(ctx, env, token)
	}
	how, secret := "-", "token "+token.Machine+": "+token.String()+"\n"
	if m.tokens != "" {
		how, secret = filepath.Join(m.tokens, events.MachineTag(token.Machine)+".join"), ""
		if err := host.WriteFile(how, []byte(token.String()+"\n")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(m.app.Stdout, "machine %s: jujud machine --data-dir %s --join-file %s\n%s", token.Machine, m.dataDir, how, secret)
	return err
}
