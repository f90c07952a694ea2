package bustest

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jujube-project/jujube/bus/server"
)

// A BadServer answers where clients expect the environment's NATS, and is another server. Each
// kind of BadServers is wrong in exactly one thing.
type BadServer struct {
	URL string

	mu    sync.Mutex
	heard bytes.Buffer
}

// BadServers are the kinds, and what a client says that refuses one.
var BadServers = map[string]string{
	"authority": "is not signed by the authority that is pinned here",
	"name":      "its certificate is not for 127.0.0.1",
	"expired":   "its certificate holds from",
	"old":       "it refuses TLS 1.3",
	"plain":     "it speaks in plain text",
}

// info is what a NATS server sends first.
const info = `INFO {"server_id":"X","version":"2.15.2","headers":true,"max_payload":1048576,"nonce":"AAAAAAAAAAAAAAA"}` + "\r\n"

// StartBadServer starts a bad server of a kind, at a free loopback address, until the test ends.
func StartBadServer(t testing.TB, kind string, accounts *server.Accounts) *BadServer {
	t.Helper()
	s, stop, err := NewBadServer(kind, "127.0.0.1:0", accounts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return s
}

// NewBadServer is StartBadServer at a given address, until stop is called.
func NewBadServer(kind, address string, accounts *server.Accounts) (s *BadServer, stop func(), err error) {
	conf, err := badConfig(kind, accounts)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	s = &BadServer{URL: "tls://" + l.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { s.serve(conn, conf) })
		}
	})
	return s, func() { _ = l.Close(); all.Wait() }, nil
}

// badConfig is the TLS of a kind; nil: the server speaks plain text.
func badConfig(kind string, accounts *server.Accounts) (*tls.Config, error) {
	authority, names, now := accounts.Authorities[0], []string{"127.0.0.1"}, time.Now()
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	switch kind {
	case "plain":
		return nil, nil
	case "authority":
		other, err := server.NewAuthority(accounts.Environment, now)
		if err != nil {
			return nil, err
		}
		authority = other
	case "name":
		names = []string{"127.0.0.2", "nats.example.com"}
	case "expired":
		now = now.Add(-365 * 24 * time.Hour)
	case "old":
		conf.MaxVersion = tls.VersionTLS12
	}
	certificate, key, err := authority.Sign(names, now)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair([]byte(certificate), []byte(key))
	conf.Certificates = []tls.Certificate{pair}
	return conf, err
}

// serve greets a client as NATS does, and keeps what the client sends until it goes.
func (s *BadServer) serve(conn net.Conn, conf *tls.Config) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if conf != nil {
		conn = tls.Server(conn, conf)
	}
	if _, err := conn.Write([]byte(info)); err != nil {
		return
	}
	b, _ := io.ReadAll(io.LimitReader(conn, 1<<16))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard.Write(b)
}

// Heard is what clients that have gone had sent, decrypted if the server speaks TLS.
func (s *BadServer) Heard() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.heard.Bytes())
}
