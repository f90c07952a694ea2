package bus

import (
	"bytes"
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
)

// Keyring keeps the key of a connection, for a process that does not have it itself, and says
// what that connection believes.
type Keyring interface {
	events.Signer
	// Token is the JWT of the newest credentials of the key. It is asked for at every connection.
	Token() (string, error)
	// Authorities are the certificates, in PEM, of the authorities that are believed. They are
	// asked for at every connection.
	Authorities() (string, error)
}

// IsForConnecting says whether b is what a key signs to be let in, and nothing else: the nonce of
// a server, a renewal, or an enrolment of a host. A process that keeps a key for another one
// signs nothing else for it: no report, no request.
func IsForConnecting(b []byte) bool {
	for _, kind := range []string{renewType, wire.EnrolHostType} {
		if bytes.HasPrefix(b, fmt.Appendf(nil, "DSSEv1 %d %s ", len(kind), kind)) {
			return true
		}
	}
	return isNonce(b)
}

// ownKeys are the Keyring of a connection whose key this process has.
type ownKeys struct {
	*Identity
	cfg ConnConfig
}

func (cfg ConnConfig) ownKeys() (ownKeys, error) {
	id, err := cfg.Credentials.Identity()
	return ownKeys{id, cfg}, err
}

// Authorities implements Keyring.
func (k ownKeys) Authorities() (string, error) { return PinnedAuthorities(k.cfg.Authorities) }

// Token implements Keyring.
func (k ownKeys) Token() (string, error) { return k.cfg.Credentials.JWT, nil }
