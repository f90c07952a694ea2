package machines

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/cli/app"
	"github.com/jujube-project/jujube/cli/local"
	"github.com/jujube-project/jujube/cli/session"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// addMachine is `juju add-machine`.
type addMachine struct {
	app     *app.App
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

func newAddMachine(a *app.App) *addMachine { return &addMachine{app: a} }

func (m *addMachine) command() *cobra.Command {
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
			return session.With(cmd.Context(), m.app, func(s *session.Session) error { return m.run(cmd.Context(), s, s.Env) })
		},
	}
	f := cmd.Flags()
	f.IntVarP(&m.n, "number", "n", 1, "how many")
	f.BoolVar(&m.local, "local", false, "start them on this host, in the background")
	f.StringVar(&m.jujud, "jujud", "", "the jujud to run with --local (default: beside juju, then in the PATH)")
	f.StringVar(&m.dataDir, "data-dir", "", "data directory in the printed command (default /var/lib/juju); "+
		"with --local, where each machine gets one (default JUJU_DATA/machines/NAME)")
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

// inviter asks for places for machines, and for what their tokens need.
type inviter interface {
	requester
	wire.Asker
	Environment(ctx context.Context) (wire.EnvironmentInfo, error)
}

// run makes the keys of the tokens on this host, and asks for a place for each public key. So
// the secret half of a token is on this host only, and in the token itself.
func (m *addMachine) run(ctx context.Context, s inviter, env app.Environment) error {
	if m.local {
		if err := m.prepareLocal(ctx, s, env); err != nil {
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
	tokens, err := m.invitations(env, recs, secrets, enrol)
	if err != nil {
		return err
	}
	for i, t := range tokens {
		if err := m.welcome(ctx, env, t); err != nil {
			return leftOver(err, tokens[i:])
		}
	}
	return nil
}

// leftOver adds to an error which places were made and are not used: those of the tokens.
func leftOver(err error, tokens []bus.JoinToken) error {
	var left []string
	for _, t := range tokens {
		left = append(left, t.Machine)
	}
	ids := strings.Join(left, " ")
	return app.Fail(err, "The places of machines "+ids+" in the environment stay until they are removed.", "juju remove-machine --yes "+ids)
}
