package server

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/jwt/v2"
	natsd "github.com/nats-io/nats-server/v2/server"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
)

// Config says how to run an embedded NATS server. Accounts and StoreDir are required.
type Config struct {
	Accounts *Accounts        // what it lets in, and the authority that signs its certificate
	StoreDir string           // where JetStream keeps its files
	MaxBytes int64            // of all that JetStream stores; 0: as much as the disk holds
	Name     string           // shown to clients; empty: "jujube"
	Host     string           // address to listen on; empty: 127.0.0.1
	Port     int              // 0: any free one; Server.URL tells which
	Names    []string         // host names and addresses under which clients reach it; empty: Host
	Local    bool             // listen nowhere: connections within this process only
	Logger   *slog.Logger     // nil: silent
	Now      func() time.Time // decides when the certificate is renewed; nil: time.Now
}

// Server is an embedded NATS server with JetStream on disk. Its methods may be called
// concurrently.
type Server struct {
	nats  *natsd.Server
	once  sync.Once
	store natsd.JetStreamConfig // as JetStream was started
	door  *doorkeeper
}

// startTimeout bounds the start. After a crash JetStream reads all its files: a log of ten
// million records takes 20 s (measured).
const startTimeout = 2 * time.Minute

// Start starts a server and waits until it takes connections. It returns an error when the
// port is taken, or when StoreDir is in use or cannot be read; then nothing is left running.
func Start(cfg Config) (*Server, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	s, err := natsd.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	log := &natsLogger{to: cfg.Logger, fatal: make(chan struct{})}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	ready := make(chan bool, 1)
	go func() { ready <- s.ReadyForConnections(startTimeout) }()
	ok := false
	select {
	case ok = <-ready:
	case <-log.fatal:
	}
	if !ok {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("start NATS on %s:%d with store %s: %w", opts.Host, opts.Port, opts.StoreDir, log.why())
	}
	started := &Server{nats: s, door: cfg.Accounts.keepDoor(s)}
	if store := s.JetStreamConfig(); store != nil {
		started.store = *store
	}
	return started, nil
}

// maxStoreBytes is NATS's own limit on what JetStream stores. The disk is full before, and
// NATS says so then: a limit that NATS derives from the free disk could be reached earlier.
const maxStoreBytes = 1 << 40

// authTimeout bounds TLS handshake and authentication of one connection. When a whole fleet
// connects at once, the last one waits longer than NATS's default of 2 s (measured).
const authTimeout = 20 * time.Second

// dirAccounts is where NATS keeps the claims of the accounts, within StoreDir.
const dirAccounts = "accounts"

// accountsSync is how often the servers of one cluster compare the claims that they have.
const accountsSync = 2 * time.Minute

// resolver is where NATS looks up the claims of an account, and keeps newer ones that a state
// server sends it (bus.Conn.UpdateAccount). Claims that it has kept stay in place, so that what
// was revoked stays revoked when the server starts again. If an earlier jujube made them, its
// rules are replaced, and the revocations stay.
func (cfg Config) resolver() (*natsd.DirAccResolver, error) {
	r, err := natsd.NewDirAccResolver(filepath.Join(cfg.StoreDir, dirAccounts), 0, accountsSync, natsd.NoDelete)
	if err != nil {
		return nil, err
	}
	for _, name := range every {
		token := cfg.Accounts.JWTs[name]
		if kept, err := r.Fetch(cfg.Accounts.IDs[name]); err == nil {
			if token, err = cfg.Accounts.renew(name, kept); err != nil {
				return nil, fmt.Errorf("account %s: %w", name, err)
			}
		}
		if err := r.Store(cfg.Accounts.IDs[name], token); err != nil {
			return nil, fmt.Errorf("account %s: %w", name, err)
		}
	}
	return r, nil
}

func (cfg Config) options() (*natsd.Options, error) {
	if cfg.Accounts == nil || len(cfg.Accounts.Authorities) == 0 || cfg.StoreDir == "" {
		return nil, errors.New("start NATS: there are no accounts, no certificate authority or no store directory")
	}
	if err := os.MkdirAll(cfg.StoreDir, 0o700); err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	operator, err := jwt.DecodeOperatorClaims(cfg.Accounts.Operator)
	if err != nil {
		return nil, fmt.Errorf("start NATS: the operator of the accounts: %w", err)
	}
	resolver, err := cfg.resolver()
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	opts := &natsd.Options{
		ServerName: cmp.Or(cfg.Name, "jujube"), Host: cmp.Or(cfg.Host, "127.0.0.1"), Port: cmp.Or(cfg.Port, natsd.RANDOM_PORT),
		NoSigs: true, StoreDir: cfg.StoreDir, JetStream: true, DisableJetStreamBanner: true,
		JetStreamMaxStore: cmp.Or(cfg.MaxBytes, maxStoreBytes),
		// Every message is on disk before it is acknowledged (sync_interval: always). Without
		// it, a power cut takes up to two minutes of acknowledged messages.
		SyncAlways: true,
		MaxPayload: limits.PayloadBytes, MaxConn: limits.Connections,
		MaxPending: limits.UnreadBytes, WriteDeadline: limits.UnreadTime, MaxClosedClients: limits.ClosedKept, AuthTimeout: authTimeout.Seconds(),
		TrustedOperators: []*jwt.OperatorClaims{operator}, AccountResolver: resolver,
		SystemAccount: cfg.Accounts.IDs[names.AccountSystem],
	}
	if cfg.Local {
		opts.DontListen = true
		return opts, nil
	}
	return opts, cfg.encrypt(opts)
}

// encrypt makes TLS the only way in from outside of this process. The handshake comes first:
// by default NATS would send a line in plain text before it.
func (cfg Config) encrypt(opts *natsd.Options) (err error) {
	c := &certificates{authority: cfg.Accounts.Authorities[0], hosts: cfg.Names, now: cfg.Now, log: cfg.Logger}
	if len(c.hosts) == 0 {
		c.hosts = []string{opts.Host}
	}
	if c.now == nil {
		c.now = time.Now
	}
	opts.TLS, opts.TLSHandshakeFirst, opts.TLSTimeout = true, true, authTimeout.Seconds()
	if opts.TLSConfig, err = c.config(); err != nil {
		return fmt.Errorf("start NATS: %w", err)
	}
	return nil
}

// URL is where clients of this host connect, "tls://HOST:PORT".
func (s *Server) URL() string { return s.nats.ClientURL() }

// InProcessConn opens a connection within this process, without TCP and TLS. It makes a Server
// a bus.InProcess.
func (s *Server) InProcessConn() (net.Conn, error) { return s.nats.InProcessConn() }

// Close stops the server and waits until it has written its files. It is idempotent. Whoever
// is connected should be closed before.
func (s *Server) Close() {
	s.once.Do(func() {
		s.door.close()
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	})
}
