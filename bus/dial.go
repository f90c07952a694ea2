package bus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"
)

// checkURLs refuses an address that is not TLS's.
func checkURLs(urls []string) error {
	if len(urls) == 0 {
		return errors.New("there is no address to connect to")
	}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "tls" || u.Host == "" {
			return fmt.Errorf("%q is not tls://HOST:PORT: this is of a juju that did not encrypt its connections, or was altered", text)
		}
	}
	return nil
}

// dialer connects by TLS 1.3, and believes only the authorities in a file. The file is
// read every time: what is pinned changes without a restart.
type dialer struct {
	pinned string // file
}

// SkipTLSHandshake tells nats.go that Dial has done it.
func (dialer) SkipTLSHandshake() bool { return true }

// Dial connects to HOST:PORT and returns ErrUntrusted when something answers that is not
// the environment's server. Nothing is sent to it before it is known.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	text, err := PinnedAuthorities(d.pinned)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(text))
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, ServerName: host})
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, refusal(address, host, err)
	}
	return conn, nil
}

// refusal says why a TLS handshake failed. What may be well the next time, a connection
// that broke, is not ErrUntrusted.
func refusal(address, host string, err error) error {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var op *net.OpError
	why := "it does not complete a TLS 1.3 handshake"
	switch {
	case errors.As(err, &authority):
		why = "its certificate is not signed by the authority that is pinned here: it is another environment's, or somebody stands in between"
	case errors.As(err, &name):
		why = fmt.Sprintf("its certificate is not for %s: it is another server's, or that name is missing under advertise: in the state server's server.yaml", host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		why = fmt.Sprintf("its certificate holds from %s to %s, and it is %s by this host's clock",
			invalid.Cert.NotBefore.Format(time.RFC3339), invalid.Cert.NotAfter.Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339))
	case errors.As(err, &record):
		why = "it speaks in plain text, not TLS"
	case errors.As(err, &op) && op.Op == "remote error":
		why = "it refuses TLS 1.3, and nothing older is spoken"
	case isBroken(err):
		return fmt.Errorf("TLS handshake with %s: %w", address, err)
	}
	return fmt.Errorf("%w: %s: %s (%w)", ErrUntrusted, address, why, err)
}

// isBroken says that the other end went away, or says nothing.
func isBroken(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "read" || op.Op == "write") {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}
