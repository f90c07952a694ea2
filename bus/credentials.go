package bus

import (
	"fmt"

	"github.com/nats-io/jwt/v2"

	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/host"
)

// Credentials are what somebody connects with: a user JWT and the seed of the key that it is
// for. The seed is a secret, so they are one.
type Credentials wire.Credentials

// Identity is the key pair of the credentials.
func (c Credentials) Identity() (*Identity, error) { return ParseIdentity([]byte(c.Seed)) }

// LoadCredentials reads a file in NATS's format of credentials (.creds). A file that others
// can read is refused (host.ReadSecret).
func LoadCredentials(path string) (Credentials, error) {
	b, err := host.ReadSecret(path)
	if err != nil {
		return Credentials{}, err
	}
	token, err := jwt.ParseDecoratedJWT(b)
	if err != nil {
		return Credentials{}, fmt.Errorf("read credentials %s: %w", path, err)
	}
	keys, err := jwt.ParseDecoratedUserNKey(b)
	if err != nil {
		return Credentials{}, fmt.Errorf("read credentials %s: %w", path, err)
	}
	seed, err := keys.Seed()
	if err != nil {
		return Credentials{}, fmt.Errorf("read credentials %s: %w", path, err)
	}
	return Credentials{JWT: token, Seed: string(seed)}, nil
}

// Save writes a file in NATS's format of credentials, durably, which only its owner can read.
func (c Credentials) Save(path string) error {
	b, err := jwt.FormatUserConfig(c.JWT, []byte(c.Seed))
	if err != nil {
		return fmt.Errorf("write credentials %s: %w", path, err)
	}
	return host.WriteFile(path, b)
}
