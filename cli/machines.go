package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/cli/signing"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// addMachine is what `juju add-machine` was asked.
type addMachine struct {
	n       int
	local   bool
	jujud   string      // --jujud; empty: it is looked for
	found   local.Jujud // with --local
	dataDir string
	tokens  string
	ttl     time.Duration
	labels  map[string]string
	approve bool
}

func (a *juju) addMachineCommand() *cobra.Command {
	var m addMachine
	cmd := &cobra.Command{
		Use: "add-machine", Short: "Let machines join the environment", Args: cobra.NoArgs,
		Long: `Make places for machines. For each, a token is printed, and the command on whose standard
input it makes a host that machine: it works once, and not for ever. With --save-tokens the
tokens go into files instead, which only you can read. With --local the machines are
started here, each with a data directory of its own.

The labels of a machine are what operators' rights are granted for; they are part of its
token. With --approve, or with the setting enrol-policy=approve, a host that has joined is
given nothing before juju approve-machine; so is, always, a host that was a machine before.

A machine should join with the jujud that the environment runs; juju status shows which.`,
		Example: `  juju add-machine
  juju add-machine -n 3 --ttl 2h --labels env=prod,room=2
  juju add-machine -n 3 --local
  juju add-machine -n 3 --save-tokens /media/stick`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := m.check(); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(s *session) error { return s.addMachines(cmd.Context(), m) })
		},
	}
	f := cmd.Flags()
	f.IntVarP(&m.n, "number", "n", 1, "how many")
	f.BoolVar(&m.local, "local", false, "start them on this host, in the background")
	f.StringVar(&m.jujud, "jujud", "", "the jujud to run with --local (default: beside juju, then in the PATH)")
	f.StringVar(&m.dataDir, "data-dir", "", "data directory in the printed command (default /var/lib/juju); with --local, where each machine gets one (default JUJU_DATA/machines/NAME)")
	f.StringVar(&m.tokens, "save-tokens", "", "write the tokens to files machine-N.join in this directory, for jujud machine --join-file, and print none")
	f.DurationVar(&m.ttl, "ttl", time.Hour, "how long the tokens work")
	f.StringToStringVar(&m.labels, "labels", nil, "labels of the machines: NAME=VALUE,…")
	f.BoolVar(&m.approve, "approve", false, "let them wait for juju approve-machine after they have joined")
	return cmd
}

func (m *addMachine) check() error {
	switch {
	case m.local && m.tokens != "":
		return app.Usage("--local starts the machines here, --save-tokens prepares them for other hosts: give one of them")
	case m.n < 1 || m.n > 200:
		return app.Usage("-n is 1 to 200, not %d", m.n)
	case m.ttl < time.Second:
		return app.Usage("--ttl is a second or more, not %v", m.ttl)
	}
	if err := events.CheckLabels(m.labels); err != nil {
		return app.Usage("--labels: %v", err)
	}
	if m.dataDir == "" && !m.local {
		m.dataDir = "/var/lib/juju"
	}
	return nil
}

// addMachines makes the tokens here, so that their secrets are never anywhere else, and
// asks for places for their public halves.
func (s *session) addMachines(ctx context.Context, m addMachine) error {
	if m.local {
		if err := s.prepareLocal(ctx, &m); err != nil {
			return err
		}
	}
	secrets := map[string]*bus.Identity{}
	ask := &events.AskAddMachine{TTL: int64(m.ttl / time.Second), Labels: m.labels, Approve: m.approve}
	for range m.n {
		id, err := bus.NewIdentity()
		if err != nil {
			return err
		}
		secrets[id.Public()] = id
		ask.TokenKeys = append(ask.TokenKeys, id.Public())
	}
	enrol, err := wire.EnrolCredentials.Ask(ctx, s, wire.Nothing{})
	if err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	recs, err := s.Request(ctx, events.Ask{Action: events.ActionAddMachine, AddMachine: ask})
	if err != nil {
		return err
	}
	tokens, err := s.invitations(recs, secrets, enrol)
	if err != nil {
		return err
	}
	for i, t := range tokens {
		if err := s.welcome(ctx, t, m); err != nil {
			var left []string
			for _, t := range tokens[i:] {
				left = append(left, t.Machine)
			}
			ids := strings.Join(left, " ")
			return app.Fail(err, "The places of machines "+ids+" in the environment stay until they are removed.", "juju remove-machine --yes "+ids)
		}
	}
	return nil
}

// prepareLocal finds what machines on this host run, before anything is asked, and says
// when it is not what the environment runs.
func (s *session) prepareLocal(ctx context.Context, m *addMachine) (err error) {
	if m.found, err = local.Find(m.jujud); err != nil {
		return err
	}
	own, err := m.found.Version(ctx)
	if err != nil {
		return err
	}
	if m.dataDir == "" {
		m.dataDir = s.app.Store().MachineDir(s.Env.Name, "")
	}
	if m.dataDir, err = filepath.Abs(m.dataDir); err != nil {
		return err
	}
	env, err := s.Environment(ctx)
	if err != nil {
		return app.Fail(err, "Nothing was changed.", "")
	}
	if env.AgentVersion != own.Number {
		s.app.Say("WARNING %s is %s, the environment runs %s; juju upgrade-juju --version %s brings the new machines to it", m.found, own.Number, env.AgentVersion, env.AgentVersion)
	}
	return nil
}

// invitations are the join tokens of the places that were made.
func (s *session) invitations(recs []events.Record, secrets map[string]*bus.Identity, enrol wire.Credentials) ([]bus.JoinToken, error) {
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
		t, err := s.token(invited, secrets[invited.TokenKey], enrol)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}

func (s *session) token(invited *events.MachineInvited, secret *bus.Identity, enrol wire.Credentials) (bus.JoinToken, error) {
	pinned, err := bus.PinnedAuthorities(s.app.Store().AuthoritiesFile(s.Env.Name))
	if err != nil {
		return bus.JoinToken{}, err
	}
	anchor, err := signing.SiteRepository(s.app.Store(), s.Env.Name).Anchor()
	if err != nil {
		return bus.JoinToken{}, err
	}
	return bus.JoinToken{
		Environment: s.Env.UUID, Name: s.Env.Name, Machine: invited.Machine, URLs: s.Env.URLs, Authorities: pinned, Seed: string(secret.Seed()),
		Labels: invited.Labels, Anchor: anchor.SHA256, Enrol: bus.Credentials(enrol),
	}, nil
}

// welcome starts the machine here, or says how to start it elsewhere.
func (s *session) welcome(ctx context.Context, token bus.JoinToken, m addMachine) error {
	if m.local {
		return s.startLocal(ctx, token, m)
	}
	how, secret := "-", "token "+token.Machine+": "+token.String()+"\n"
	if m.tokens != "" {
		how, secret = filepath.Join(m.tokens, events.MachineTag(token.Machine)+".join"), ""
		if err := host.WriteFile(how, []byte(token.String()+"\n")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(s.app.Stdout, "machine %s: jujud machine --data-dir %s --join-file %s\n%s", token.Machine, m.dataDir, how, secret)
	return err
}

// startLocal starts the machine on this host. It is noted before it is started, so that
// destroy-environment finds its files whatever happens in between.
func (s *session) startLocal(ctx context.Context, token bus.JoinToken, m addMachine) error {
	here := app.Machine{ID: token.Machine, DataDir: filepath.Join(m.dataDir, token.Machine)}
	if entries, err := os.ReadDir(here.DataDir); err == nil && len(entries) > 0 {
		return fmt.Errorf("start machine %s: %s is not empty: it may be another machine's", here.ID, here.DataDir)
	}
	if err := os.MkdirAll(here.DataDir, 0o700); err != nil {
		return fmt.Errorf("start machine %s: %w", here.ID, err)
	}
	note := func() error {
		return s.app.Store().Update(s.Env.Name, func(e *app.Environment) { e.Put(here) })
	}
	if err := note(); err != nil {
		return err
	}
	log := filepath.Join(here.DataDir, "log", events.MachineTag(here.ID)+".log")
	var err error
	here.PID, here.Started, err = m.found.Start(ctx, log, token.String(), "machine", "--data-dir", here.DataDir, "--join-file", "-")
	if err != nil {
		return errors.Join(fmt.Errorf("start machine %s: %w", here.ID, err), local.Discard(s.app.Store(), s.Env, here))
	}
	if err := note(); err != nil {
		return errors.Join(err, local.Stop(here.PID, here.Started))
	}
	_, err = fmt.Fprintf(s.app.Stdout, "machine %s started\n", here.ID)
	return err
}
