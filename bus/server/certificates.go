package server

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// certificates are those that a server shows, one after another. A new one is signed when a
// client connects and the current one is due. Who is connected does not notice.
type certificates struct {
	authority Authority
	hosts     []string // that the certificates are for: names and addresses
	now       func() time.Time
	log       *slog.Logger // nil: silent

	mu      sync.Mutex
	current *tls.Certificate
	renewAt time.Time
}

// get implements tls.Config.GetCertificate.
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

// authorityNotice is how long before the end of its authority a server begins to warn of it.
const authorityNotice = 365 * 24 * time.Hour

// warn logs that the authority ends soon. It is called once for each certificate, every
// renewAfter.
func (c *certificates) warn(now time.Time) {
	ends, err := c.authority.Ends()
	if err == nil && ends.Sub(now) < authorityNotice && c.log != nil {
		c.log.Warn("the environment's certificate authority nears its end; `jujud authority --help` says how another one takes over", "ends", ends)
	}
}

// config accepts TLS 1.3 and nothing older. It signs the first certificate, so that an
// authority that cannot sign is found now and not at the first connection. Session tickets
// are off: a client that resumed a session would not see the new certificate.
func (c *certificates) config() (*tls.Config, error) {
	if _, err := c.get(nil); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: c.get, SessionTicketsDisabled: true}, nil
}

// HTTPSConfig is how a state server serves HTTP to other hosts: with certificates for hosts
// (names and addresses) that the environment's own authority signs, and that renew themselves.
func (a *Accounts) HTTPSConfig(hosts []string, now func() time.Time) (*tls.Config, error) {
	c := &certificates{authority: a.Authorities[0], hosts: hosts, now: now}
	conf, err := c.config()
	if err != nil {
		return nil, fmt.Errorf("serve HTTPS: %w", err)
	}
	return conf, nil
}
