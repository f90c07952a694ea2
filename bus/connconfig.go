package bus

import (
	"log/slog"
	"net"
	"strings"
	"time"
)

// InProcess is a NATS server that runs within this process. A *server.Server of package
// bus/server is one.
type InProcess interface {
	InProcessConn() (net.Conn, error)
}

// ConnConfig says who connects where. Credentials or Keyring is required, and
// either Server or both URLs and, without Keyring, Authorities.
type ConnConfig struct {
	// URLs are the addresses of the environment's NATS servers, each tls://HOST:PORT. Every
	// attempt to connect takes one of them, in an order that is left to chance.
	URLs []string
	// Authorities is a file that holds the certificates of the authorities that are believed
	// (PinAuthorities wrote it). It is read at every connection.
	Authorities string
	// Server, if it is set, is the NATS server of this process: the connection then uses no
	// TCP and no TLS, and URLs and Authorities are not used.
	Server InProcess

	Credentials Credentials
	// Keyring, if it is set, takes the place of Credentials and Authorities.
	Keyring Keyring

	Name   string       // shown in NATS's monitoring
	Logger *slog.Logger // nil: silent

	// OnConnect is called after every connection but the first. It must not block.
	OnConnect func()
	// OnDenied is called whenever the server refuses the credentials. It must not block.
	OnDenied func()
	// OnGarbage is called for every message that was skipped because it cannot be what its
	// subject carries. It must not block.
	OnGarbage func(subject string, err error)

	// ReportEvery is used by state servers only: a machine that has sent as many messages at
	// once as it may is heard again after this time. 0: limits.ReportEvery.
	ReportEvery time.Duration
}

// check refuses what cannot become a connection by TLS.
func (cfg ConnConfig) check() error {
	if err := checkURLs(cfg.URLs); err != nil {
		return err
	}
	text, err := cfg.Keyring.Authorities()
	if err == nil {
		err = CheckAuthorities(text)
	}
	return err
}

// where names the other end in messages.
func (cfg ConnConfig) where() string {
	if cfg.Server != nil {
		return "the NATS server in this process"
	}
	return strings.Join(cfg.URLs, ", ")
}
