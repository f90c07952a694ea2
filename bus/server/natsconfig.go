package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/host"
)

// The files of the certificate of a NATS server that runs in a process of its own.
const (
	NATSCertificate = "nats-certificate.pem"
	NATSKey         = "nats-key.pem"
)

// SaveNATSCertificate writes a new certificate and its key into dir, for a NATS server that
// runs in a process of its own. hosts are the names and addresses under which clients reach
// it. The files that are there are replaced.
func (a *Accounts) SaveNATSCertificate(dir string, hosts []string, now time.Time) error {
	certificate, key, err := a.Authorities[0].Sign(hosts, now)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	return errors.Join(host.WriteFile(filepath.Join(dir, NATSKey), []byte(key)), host.WriteFile(filepath.Join(dir, NATSCertificate), []byte(certificate)))
}

// NATSConfig is the configuration of a nats-server (2.15 or newer) that runs in a process of
// its own and serves this environment as the embedded one does: with the same accounts,
// limits, durability and encryption. It holds no secret. listen is HOST:PORT; tlsDir is where
// SaveNATSCertificate wrote.
func (a *Accounts) NATSConfig(listen, storeDir, tlsDir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# NATS for the environment %s. It holds no secret.\n", a.Environment)
	fmt.Fprintf(&b, "listen: %q\noperator: %s\nsystem_account: %s\n",
		listen, a.Operator, a.IDs[names.AccountSystem])
	fmt.Fprintf(&b, "# The state server tells it whose credentials were revoked; it keeps that there.\n")
	fmt.Fprintf(&b, "resolver: { type: full, dir: %q, allow_delete: false, interval: \"2m\" }\nresolver_preload: {\n", filepath.Join(storeDir, dirAccounts))
	for _, name := range every {
		fmt.Fprintf(&b, "  # %s\n  %s: %s\n", name, a.IDs[name], a.JWTs[name])
	}
	fmt.Fprintf(&b, "}\njetstream: { store_dir: %q, sync_interval: always, max_file_store: %d }\n", storeDir, maxStoreBytes)
	fmt.Fprintf(&b, "max_payload: %d\nmax_connections: %d\nauthorization: { timeout: %d }\n",
		limits.PayloadBytes, limits.Connections, int(authTimeout/time.Second))
	fmt.Fprintf(&b, "max_pending: %d\nwrite_deadline: \"%v\"\nmax_closed_clients: %d\n", limits.UnreadBytes, limits.UnreadTime, limits.ClosedKept)
	fmt.Fprintf(&b, "tls: { cert_file: %q, key_file: %q, min_version: \"1.3\", handshake_first: true, timeout: %d }\n",
		filepath.Join(tlsDir, NATSCertificate), filepath.Join(tlsDir, NATSKey), int(authTimeout/time.Second))
	return b.String()
}
