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

// checkURLs refuses an address at which no connection would be encrypted.
func checkURLs(urls []string) error {
	if len(urls) == 0 {
		return errors.New("there is no address to connect to")
	}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "tls" || u.Host == "" {
			return fmt.Errorf("%q is not tls://HOST:PORT: a juju that did not encrypt its connections wrote it, or somebody has altered it", text)
		}
	}
	return nil
}

// dialer opens TCP connections for nats.go, with TLS 1.3 from the first byte, and believes
// only the authorities that are pinned. It asks for them at every connection, so that a new
// authority is believed without a restart.
type dialer struct {
	pinned func() (string, error)
}

// SkipTLSHandshake tells nats.go that Dial has made the TLS handshake already.
func (dialer) SkipTLSHandshake() bool { return true }

// Dial connects to HOST:PORT. It returns ErrUntrusted when what answers there is not a server
// of the environment. Until the server has proved that it is one, it is sent nothing but a
// TLS greeting: no key, no name, no word of NATS.
func (d dialer) Dial(network, address string) (net.Conn, error) {
	text, err := d.pinned()
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

// refusal says why a TLS handshake failed. When the connection broke, the next try may
// succeed; that is not ErrUntrusted.
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

// isBroken says whether the other end went away, or was silent for too long.
func isBroken(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && (op.Op == "read" || op.Op == "write") {
		return true
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}
