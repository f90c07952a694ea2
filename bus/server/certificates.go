package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// certificates are what an embedded server shows: one at a time, signed when somebody
// connects and the one before is due. Nobody who is connected notices.
type certificates struct {
	authority Authority
	hosts     []string
	now       func() time.Time
	log       *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	renewAt time.Time
}

func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.current != nil && now.Before(c.renewAt) {
		return c.current, nil
	}
	der, key, err := c.authority.sign(c.hosts, now)
	if err != nil {
		return nil, err
	}
	c.current, c.renewAt = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, now.Add(renewAfter)
	c.warn(now)
	return c.current, nil
}

// authorityNotice is how long before its authority ends a server begins to say so.
const authorityNotice = 365 * 24 * time.Hour

func (c *certificates) warn(now time.Time) {
	ends, err := c.authority.Ends()
	if err == nil && ends.Sub(now) < authorityNotice && c.log != nil {
		c.log.Warn("the environment's certificate authority nears its end; `jujud authority --help` says how another one takes over", "ends", ends)
	}
}

// serverTLS is what the embedded server insists on: TLS 1.3, before any word of NATS.
func serverTLS(c *certificates) (*tls.Config, error) {
	if _, err := c.get(nil); err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: c.get, SessionTicketsDisabled: true}, nil
}

// HTTPSConfig is how a state server serves HTTP beyond its host: under hosts, with
// certificates of the environment's own authority, which renew themselves.
func (a *Accounts) HTTPSConfig(hosts []string, now func() time.Time) (*tls.Config, error) {
	c := &certificates{authority: a.Authorities[0], hosts: hosts, now: now}
	if _, err := c.get(nil); err != nil {
		return nil, fmt.Errorf("serve HTTPS: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: c.get, SessionTicketsDisabled: true}, nil
}
