package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
)

// ServerConfig says how to run an embedded NATS server.
type ServerConfig struct {
	Name     string           // shown to clients; empty: "jujube"
	StoreDir string           // where JetStream keeps its files; required
	Host     string           // address to listen on; empty: 127.0.0.1
	Port     int              // 0: any free one; Server.URL tells which
	Names    []string         // hosts under which clients reach it; empty: Host
	Local    bool             // no listener: connections within this process only
	Trust    *Trust           // accounts, permissions and certificate authority; required
	Logger   *slog.Logger     // nil: silent
	Now      func() time.Time // when certificates are due; nil: time.Now
	MaxBytes int64            // of everything JetStream stores; 0: what the disk holds
}

// Server is an embedded NATS server with JetStream on disk.
type Server struct {
	nats *server.Server
	once sync.Once
}

// startTimeout is how long JetStream may take to recover its files: a log of ten million
// records after a crash takes 20 s (measured).
const startTimeout = 2 * time.Minute

// StartServer starts a server and waits until it takes connections. It fails when the
// port is taken or the store is another server's or unreadable; nothing is left running.
func StartServer(cfg ServerConfig) (*Server, error) {
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	s, err := server.NewServer(opts)
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

// accountsSync is how often servers of one cluster compare the accounts that they know.
const accountsSync = 2 * time.Minute

func (cfg ServerConfig) options() (*server.Options, error) {
	if cfg.Trust == nil || len(cfg.Trust.Authorities) == 0 || cfg.StoreDir == "" {
		return nil, errors.New("start NATS: no trust, no certificate authority or no store directory")
	}
	if err := os.MkdirAll(cfg.StoreDir, 0o700); err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	operator, err := jwt.DecodeOperatorClaims(cfg.Trust.Operator)
	if err != nil {
		return nil, fmt.Errorf("start NATS: the trust's operator: %w", err)
	}
	resolver, err := server.NewDirAccResolver(filepath.Join(cfg.StoreDir, dirAccounts), 0, accountsSync, server.NoDelete)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	for name, id := range cfg.Trust.AccountIDs {
		if err := resolver.Store(id, cfg.Trust.Accounts[name]); err != nil {
			return nil, fmt.Errorf("start NATS: account %s: %w", name, err)
		}
	}
	opts := &server.Options{
		ServerName: orDefault(cfg.Name, "jujube"), Host: orDefault(cfg.Host, "127.0.0.1"), Port: cfg.Port,
		NoSigs: true, StoreDir: cfg.StoreDir, JetStream: true, DisableJetStreamBanner: true,
		JetStreamMaxStore: maxStoreBytes, SyncAlways: true,
		MaxPayload: limits.PayloadBytes, MaxConn: limits.Connections, AuthTimeout: authTimeout.Seconds(),
		TrustedOperators: []*jwt.OperatorClaims{operator}, AccountResolver: resolver,
		SystemAccount: cfg.Trust.AccountIDs[accountSystem],
	}
	if cfg.MaxBytes > 0 {
		opts.JetStreamMaxStore = cfg.MaxBytes
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	if cfg.Local {
		opts.DontListen = true
		return opts, nil
	}
	return opts, cfg.encrypt(opts)
}

// encrypt makes TLS the only way in from outside this process.
func (cfg ServerConfig) encrypt(opts *server.Options) (err error) {
	c := &certificates{authority: cfg.Trust.Authorities[0], names: cfg.Names, now: cfg.Now, log: cfg.Logger}
	if len(c.names) == 0 {
		c.names = []string{opts.Host}
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

// Close stops the server and waits until its files are whole. It is idempotent. Close
// the connections first.
func (s *Server) Close() {
	s.once.Do(func() {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	})
}

// natsLogger passes the server's own log on and keeps the last fatal line, which is the
// only place where NATS tells why it did not start.
type natsLogger struct {
	to    *slog.Logger
	fatal chan struct{} // closed at the first fatal line
	once  sync.Once
	mu    sync.Mutex
	last  string
}

func (l *natsLogger) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == "" {
		return fmt.Errorf("it took no connection within %v", startTimeout)
	}
	return errors.New(l.last)
}

func (l *natsLogger) log(level slog.Level, format string, v []any) {
	text := fmt.Sprintf(format, v...)
	if level >= slog.LevelError {
		l.mu.Lock()
		l.last = text
		l.mu.Unlock()
	}
	if l.to != nil {
		l.to.Log(context.Background(), level, text, "from", "nats")
	}
}

func (l *natsLogger) Noticef(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
func (l *natsLogger) Warnf(format string, v ...any)   { l.log(slog.LevelWarn, format, v) }
func (l *natsLogger) Errorf(format string, v ...any)  { l.log(slog.LevelError, format, v) }
func (l *natsLogger) Fatalf(format string, v ...any) {
	l.log(slog.LevelError, format, v)
	l.once.Do(func() { close(l.fatal) })
}
func (l *natsLogger) Debugf(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
func (l *natsLogger) Tracef(format string, v ...any) { l.log(slog.LevelDebug, format, v) }
