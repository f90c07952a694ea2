package connection

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"path/filepath"
	"time"

	"github.com/jujube-project/jujube/agent"
	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// renewTimeout bounds one try to renew.
const renewTimeout = 20 * time.Second

// Renew gets the machine new credentials, also when the old ones have ended, and returns the
// life of those that it has then. The answer is durable when it returns; a connection takes
// the new credentials when it connects the next time.
func Renew(ctx context.Context, cfg Config) (bus.Life, error) { return cfg.renew(ctx, true) }

// renew gets new credentials at once, or only if they are due. The agent and the command
// `jujud renew` may both do it: the lock lets one at a time, and the second then finds that
// nothing is due.
func (cfg Config) renew(ctx context.Context, atOnce bool) (bus.Life, error) {
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	unlock, err := host.Lock(filepath.Join(cfg.Conf.Layout().Agent(), "renew.lock"))
	if err != nil {
		return bus.Life{}, err
	}
	defer unlock()
	creds, life, err := credentials(cfg.Conf)
	if err != nil || (!atOnce && time.Now().Before(due(life))) {
		return life, err
	}
	answer, err := cfg.ask(ctx, creds, life)
	if err != nil {
		return life, err
	}
	creds.JWT = answer.JWT
	if err := creds.Save(cfg.Conf.CredentialsFile()); err != nil {
		return life, err
	}
	if life, err = bus.LifeOf(creds.JWT); err != nil {
		return life, err
	}
	cfg.Logger.Info("renewed the credentials", "generation", life.Generation, "until", life.Ends)
	return life, pin(cfg.Conf, answer.Authorities)
}

// credentials reads the machine's, and says from when to when they are good.
func credentials(conf agent.Conf) (bus.Credentials, bus.Life, error) {
	creds, err := bus.LoadCredentials(conf.CredentialsFile())
	if err != nil {
		return creds, bus.Life{}, err
	}
	life, err := bus.LifeOf(creds.JWT)
	return creds, life, err
}

// due is when credentials are renewed: after half of their life.
func due(l bus.Life) time.Time { return l.Issued.Add(l.Ends.Sub(l.Issued) / 2) }

// ask asks a state server, over a connection that may ask for nothing else: the machine's
// own credentials may have ended.
func (cfg Config) ask(ctx context.Context, creds bus.Credentials, life bus.Life) (wire.Renewed, error) {
	conf := cfg.Conf
	id, err := creds.Identity()
	if err != nil {
		return wire.Renewed{}, err
	}
	nonce, err := nonceOf(conf, life.Generation, cfg.NewID)
	if err != nil {
		return wire.Renewed{}, err
	}
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		URLs: conf.APIAddresses, Authorities: conf.AuthoritiesFile(), Server: cfg.NATS, CredentialsFile: conf.EnrolFile(),
		Name: "renew " + conf.Tag, Logger: cfg.Logger,
	})
	if err != nil {
		return wire.Renewed{}, err
	}
	defer conn.Close()
	return conn.Renew(ctx, id, wire.RenewRequest{Environment: conf.Environment, Machine: conf.Machine(), Generation: life.Generation, Nonce: nonce})
}

// renewal is what stands in renewal.json: the question about one generation of credentials.
type renewal struct {
	Generation uint64 `json:"generation"`
	Nonce      string `json:"nonce"`
}

// nonceOf is the nonce under which the successor of a generation is asked for. It is on disk
// before it is used: a crash between question and answer asks again with the same nonce. The
// state server takes another nonce for another host that has this machine's key.
func nonceOf(conf agent.Conf, generation uint64, newID func() string) (string, error) {
	var last renewal
	b, err := host.ReadPinned(conf.RenewalFile())
	if err == nil && json.Unmarshal(b, &last) == nil && last.Generation == generation && last.Nonce != "" {
		return last.Nonce, nil
	}
	last = renewal{Generation: generation, Nonce: newID()}
	if b, err = json.Marshal(last); err != nil {
		return "", err
	}
	return last.Nonce, host.WriteFile(conf.RenewalFile(), b)
}

// pin believes, from now on, the certificates that the state server says, if it says any.
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

// renewPauses are between tries to renew.
var renewPauses = host.Backoff{Min: time.Second, Max: 30 * time.Second}

// keepCredentials renews them when they are due, and at once when the server refuses them.
func (c *Connection) keepCredentials(ctx context.Context) {
	for {
		atOnce := false
		select {
		case <-ctx.Done():
			return
		case <-time.After(c.untilDue()):
		case <-c.denied:
			atOnce = true
		}
		// While this fails, the connection is refused again and again. All those pokes are one
		// token, which leads to one renewal more.
		err := renewPauses.Retry(ctx, func() error {
			_, err := c.cfg.renew(ctx, atOnce)
			if err != nil {
				c.cfg.Logger.Warn("renewing the credentials; trying again", "err", err)
			}
			return err
		})
		if err != nil {
			return
		}
		c.comeBack()
	}
}

// untilDue is how long the credentials need no renewal, and up to a twentieth of their life
// more, so that a fleet that was enrolled at once is not renewed at once. Credentials that
// cannot be read are due now: the renewal says what is wrong with them.
func (c *Connection) untilDue() time.Duration {
	_, life, err := credentials(c.cfg.Conf)
	if err != nil {
		return 0
	}
	return max(0, time.Until(due(life))) + rand.N(max(0, life.Ends.Sub(life.Issued)/20)+1)
}

// comeBack connects at once with new credentials, where the old ones were refused.
func (c *Connection) comeBack() {
	if c.stood() && !c.conn.Connected() {
		_ = c.conn.Reconnect()
	}
}
