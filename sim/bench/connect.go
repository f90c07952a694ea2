package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus/yardstick"
)

// connects is how many connections a round of connect makes, one after another.
const connects = 200

// connect measures what encryption and identities cost at a connection. It compares a connection
// with TLS 1.3 and a signed nonce with a plain NATS connection over TCP.
func connect(ctx context.Context, dir string, s sizes) ([]figure, error) {
	p, err := startBus(ctx, filepath.Join(dir, "ours"))
	if err != nil {
		return nil, err
	}
	defer p.close()
	raw, err := yardstick.Start(filepath.Join(dir, "yardstick"))
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	var ours, plain []time.Duration
	for range s.rounds {
		start := time.Now()
		for range connects {
			c, err := p.agent(ctx, 1)
			if err != nil {
				return nil, err
			}
			c.Close()
		}
		ours = append(ours, time.Since(start)/connects)
		each, err := raw.Connect(connects)
		if err != nil {
			return nil, err
		}
		plain = append(plain, each)
	}
	within, err := tlsOnly(p, s.rounds)
	if err != nil {
		return nil, err
	}
	o, y, h := median(ours), median(plain), median(within)
	yard := fmt.Sprintf("plain NATS, no TLS and no identity: %s", eachOf(y))
	return []figure{
		{"an agent connects and leaves: TLS 1.3, JWT, signed nonce", eachOf(o), yard, fmt.Sprintf("%.2f ×", ratio(plain, ours)), "stated"},
		{"of it the TLS 1.3 handshake, with the TCP connection", eachOf(h), yard, fmt.Sprintf("%.2f ×", ratio(plain, within)), "stated"},
	}, nil
}

// tlsOnly measures TLS handshakes alone, without NATS's own protocol after them.
func tlsOnly(p *place, rounds int) ([]time.Duration, error) {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(p.accounts.Certificates()))
	conf := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}
	address := strings.TrimPrefix(p.nats.URL(), "tls://")
	var took []time.Duration
	for range rounds {
		start := time.Now()
		for range connects {
			c, err := tls.Dial("tcp", address, conf)
			if err != nil {
				return nil, err
			}
			_ = c.Close()
		}
		took = append(took, time.Since(start)/connects)
	}
	return took, nil
}

func eachOf(each time.Duration) string {
	return fmt.Sprintf("%.0f/s, %.2f ms each", 1/each.Seconds(), float64(each.Microseconds())/1000)
}
