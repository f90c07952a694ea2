package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/nats-io/jwt/v2"
	natsd "github.com/nats-io/nats-server/v2/server"
)

// Config says how to run an embedded NATS server.
type Config struct {
	Name     string           // shown to clients; empty: "jujube"
	StoreDir string           // where JetStream keeps its files; required
	Host     string           // address to listen on; empty: 127.0.0.1
	Port     int              // 0: any free one; Server.URL tells which
	Names    []string         // hosts under which clients reach it; empty: Host
	Local    bool             // no listener: connections within this process only
	Accounts *Accounts        // with their permissions, and the certificate authority; required
	Logger   *slog.Logger     // nil: silent
	Now      func() time.Time // when certificates are due; nil: time.Now
	MaxBytes int64            // of everything JetStream stores; 0: what the disk holds
}

// Server is an embedded NATS server with JetStream on disk.
type Server struct {
	nats *natsd.Server
	once sync.Once
}

// startTimeout is how long JetStream may take to recover its files: a log of ten million
// records after a crash takes 20 s (measured).
const startTimeout = 2 * time.Minute

// Start starts a server and waits until it takes connections. It fails when the
// port is taken or the store is another server's or unreadable; nothing is left running.
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
	return &Server{nats: s}, nil
}

// Limits of the server that are not about what it takes (those are in events/limits).
const (
	maxStoreBytes = 1 << 40          // of JetStream; the disk ends before
	authTimeout   = 20 * time.Second // a fleet that comes back at once is not thrown out
	dirAccounts   = "accounts"       // where NATS keeps the accounts' claims, beside its streams
)

// accountsSync is how often servers of one cluster compare the accounts that they know.
const accountsSync = 2 * time.Minute

func (cfg Config) options() (*natsd.Options, error) {
	if cfg.Accounts == nil || len(cfg.Accounts.Authorities) == 0 || cfg.StoreDir == "" {
		return nil, errors.New("start NATS: no trust, no certificate authority or no store directory")
	}
	if err := os.MkdirAll(cfg.StoreDir, 0o700); err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	operator, err := jwt.DecodeOperatorClaims(cfg.Accounts.Operator)
	if err != nil {
		return nil, fmt.Errorf("start NATS: the trust's operator: %w", err)
	}
	resolver, err := natsd.NewDirAccResolver(filepath.Join(cfg.StoreDir, dirAccounts), 0, accountsSync, natsd.NoDelete)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	for name, id := range cfg.Accounts.IDs {
		if err := resolver.Store(id, cfg.Accounts.JWTs[name]); err != nil {
			return nil, fmt.Errorf("start NATS: account %s: %w", name, err)
		}
	}
	opts := &natsd.Options{
		ServerName: orDefault(cfg.Name, "jujube"), Host: orDefault(cfg.Host, "127.0.0.1"), Port: cfg.Port,
		NoSigs: true, StoreDir: cfg.StoreDir, JetStream: true, DisableJetStreamBanner: true,
		JetStreamMaxStore: maxStoreBytes, SyncAlways: true,
		MaxPayload: limits.PayloadBytes, MaxConn: limits.Connections, AuthTimeout: authTimeout.Seconds(),
		TrustedOperators: []*jwt.OperatorClaims{operator}, AccountResolver: resolver,
		SystemAccount: cfg.Accounts.IDs[names.AccountSystem],
	}
	if cfg.MaxBytes > 0 {
		opts.JetStreamMaxStore = cfg.MaxBytes
	}
	if opts.Port == 0 {
		opts.Port = natsd.RANDOM_PORT
	}
	if cfg.Local {
		opts.DontListen = true
		return opts, nil
	}
	return opts, cfg.encrypt(opts)
}

// encrypt makes TLS the only way in from outside this process.
func (cfg Config) encrypt(opts *natsd.Options) (err error) {
	c := &certificates{authority: cfg.Accounts.Authorities[0], hosts: cfg.Names, now: cfg.Now, log: cfg.Logger}
	if len(c.hosts) == 0 {
		c.hosts = []string{opts.Host}
	}
	if c.now == nil {
		c.now = time.Now
	}
	opts.TLS, opts.TLSHandshakeFirst, opts.TLSTimeout = true, true, authTimeout.Seconds()
	opts.TLSConfig, err = serverTLS(c)
	return err
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// URL is where clients connect, "tls://HOST:PORT".
func (s *Server) URL() string { return s.nats.ClientURL() }

// InProcessConn connects to the server within the process, without TCP and TLS. A connection
// of package bus is made with it.
func (s *Server) InProcessConn() (net.Conn, error) { return s.nats.InProcessConn() }

// Close stops the server and waits until its files are whole. It is idempotent. Close
// the connections first.
func (s *Server) Close() {
	s.once.Do(func() {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	})
}
