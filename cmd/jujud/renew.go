package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

func (o *options) renewCommand() *cobra.Command {
	return &cobra.Command{
		Use: "renew", Short: "Ask for new credentials for this machine.", Args: noArgs,
		Long: `Ask the state server for new credentials for this machine, also when the old ones have
ended. The agent does so by itself, after half of their life; this tells at once what
becomes of it. An agent that runs takes the new ones with its next connection.`,
		Example: "  jujud renew --data-dir /var/lib/juju",
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := agent.LoadConf(o.dataDir)
			if err != nil {
				return err
			}
			life, err := renew(cmd.Context(), conf, nil, o.logger(), true)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s has credentials until %s\n", conf.Tag, life.Ends.UTC().Format(time.RFC3339))
			return err
		},
	}
}

const renewTimeout = 20 * time.Second

// renew gets new credentials when they are due, or at once, and gives the life of those
// that the machine has then. The lock lets one process at a time do it.
func renew(ctx context.Context, conf agent.Conf, nats bus.InProcess, log *slog.Logger, now bool) (bus.Life, error) {
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	unlock, err := host.Lock(filepath.Join(conf.Layout().Agent(), "renew.lock"))
	if err != nil {
		return bus.Life{}, err
	}
	defer unlock()
	creds, err := bus.LoadCredentials(conf.CredentialsFile())
	if err != nil {
		return bus.Life{}, err
	}
	life, err := bus.LifeOf(creds.JWT)
	if err != nil || (!now && time.Now().Before(due(life))) {
		return life, err
	}
	answer, err := askRenewal(ctx, conf, nats, log, creds, life)
	if err != nil {
		return life, err
	}
	creds.JWT = answer.JWT
	if err := creds.Save(conf.CredentialsFile()); err != nil {
		return life, err
	}
	if life, err = bus.LifeOf(creds.JWT); err != nil {
		return life, err
	}
	log.Info("renewed the credentials", "generation", life.Generation, "until", life.Ends)
	return life, pin(conf, answer.Authorities)
}

// due is when credentials are renewed: after half of their life.
func due(l bus.Life) time.Time { return l.Issued.Add(l.Ends.Sub(l.Issued) / 2) }

func askRenewal(ctx context.Context, conf agent.Conf, nats bus.InProcess, log *slog.Logger, creds bus.Credentials, life bus.Life) (wire.Renewed, error) {
	id, err := creds.Identity()
	if err != nil {
		return wire.Renewed{}, err
	}
	nonce, err := nonceOf(conf, life.Generation)
	if err != nil {
		return wire.Renewed{}, err
	}
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		URLs: conf.APIAddresses, Authorities: conf.AuthoritiesFile(), Server: nats, CredentialsFile: conf.EnrolFile(), Name: "renew " + conf.Tag, Logger: log,
	})
	if err != nil {
		return wire.Renewed{}, err
	}
	defer conn.Close()
	return conn.Renew(ctx, id, wire.RenewRequest{Environment: conf.Environment, Machine: conf.Machine(), Generation: life.Generation, Nonce: nonce})
}

// nonceOf is on disk before it is used: a crash between question and answer asks again
// with the same one, and is not taken for another host.
func nonceOf(conf agent.Conf, generation uint64) (string, error) {
	var last struct {
		Generation uint64 `json:"generation"`
		Nonce      string `json:"nonce"`
	}
	b, err := os.ReadFile(conf.RenewalFile())
	if err == nil && json.Unmarshal(b, &last) == nil && last.Generation == generation && last.Nonce != "" {
		return last.Nonce, nil
	}
	last.Generation, last.Nonce = generation, newID()
	if b, err = json.Marshal(last); err != nil {
		return "", err
	}
	return last.Nonce, host.WriteFile(conf.RenewalFile(), b)
}

// pin believes the certificates that the state server says from now on, if it says any.
func pin(conf agent.Conf, authorities string) error {
	if authorities == "" {
		return nil
	}
	before, err := bus.PinnedAuthorities(conf.AuthoritiesFile())
	if err == nil && before == authorities {
		return nil
	}
	return bus.PinAuthorities(conf.AuthoritiesFile(), authorities)
}

// Pauses between tries to renew.
const (
	firstRenewal = time.Second
	lastRenewal  = 30 * time.Second
)

// keepCredentials renews them when they are due, and at once when the server refuses them.
func (b *agentBus) keepCredentials(ctx context.Context, conf agent.Conf, nats bus.InProcess, log *slog.Logger) {
	pause := time.Duration(0)
	for now := false; ; {
		wait, denied := pause, b.denied
		if pause > 0 {
			denied = nil // it is known
		}
		if life, err := b.life(conf); err == nil && !now && pause == 0 {
			wait = max(0, time.Until(due(life))) + rand.N(max(0, life.Ends.Sub(life.Issued)/20)+1)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		case <-denied:
			now = true
		}
		_, err := renew(ctx, conf, nats, log, now)
		if err == nil {
			pause, now = 0, false
			b.comeBack()
			continue
		}
		log.Warn("renewing the credentials; trying again", "err", err)
		pause = min(max(2*pause, firstRenewal), lastRenewal)
	}
}

func (b *agentBus) life(conf agent.Conf) (bus.Life, error) {
	creds, err := bus.LoadCredentials(conf.CredentialsFile())
	if err != nil {
		return bus.Life{}, err
	}
	return bus.LifeOf(creds.JWT)
}

// comeBack connects at once with new credentials, where the old ones were refused.
func (b *agentBus) comeBack() {
	select {
	case <-b.ready:
		if !b.conn.Connected() {
			_ = b.conn.Reconnect()
		}
	default:
	}
}

func (b *agentBus) onDenied() {
	b.denied.Send()
}
