package connection

import (
	"context"
	"math/rand/v2"
	"time"

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

// renew gets new credentials at once, or only if they are due.
func (cfg Config) renew(ctx context.Context, atOnce bool) (bus.Life, error) {
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	keys, err := cfg.keys()
	if err != nil {
		return bus.Life{}, err
	}
	unlock, err := keys.Lock()
	if err != nil {
		return bus.Life{}, err
	}
	defer unlock()
	life, err := keys.Life()
	if err != nil || (!atOnce && time.Now().Before(due(life))) {
		return life, err
	}
	answer, err := cfg.ask(ctx, keys, life)
	if err != nil {
		return life, err
	}
	if life, err = keys.Keep(answer); err == nil {
		cfg.Logger.Info("renewed the credentials", "generation", life.Generation, "until", life.Ends)
	}
	return life, err
}

// due is when credentials are renewed: after half of their life.
func due(l bus.Life) time.Time { return l.Issued.Add(l.Ends.Sub(l.Issued) / 2) }

// ask asks a state server, over a connection that may ask for nothing else: the machine's
// own credentials may have ended.
func (cfg Config) ask(ctx context.Context, keys Keys, life bus.Life) (wire.Renewed, error) {
	conf := cfg.Conf
	nonce, err := keys.Nonce(life.Generation)
	if err != nil {
		return wire.Renewed{}, err
	}
	creds, err := keys.Enrol()
	if err != nil {
		return wire.Renewed{}, err
	}
	enrol, err := newEnrolKeys(creds, keys.Authorities)
	if err != nil {
		return wire.Renewed{}, err
	}
	conn, err := bus.Connect(ctx, bus.ConnConfig{
		URLs: conf.APIAddresses, Server: cfg.NATS, Keyring: enrol, Name: "renew " + conf.Tag, Logger: cfg.Logger,
	})
	if err != nil {
		return wire.Renewed{}, err
	}
	defer conn.Close()
	return conn.Renew(ctx, keys, wire.RenewRequest{Environment: conf.Environment, Machine: conf.Machine(), Generation: life.Generation, Nonce: nonce})
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
	keys, err := c.cfg.keys()
	if err != nil {
		return 0
	}
	life, err := keys.Life()
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
