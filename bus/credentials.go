package bus

import (
	"fmt"

	"github.com/jujube-project/jujube/events/wire"
	"github.com/nats-io/jwt/v2"

	"github.com/jujube-project/jujube/host"
)

// Credentials let somebody connect. They are a secret.
type Credentials wire.Credentials

// Identity is the key pair of the credentials.
func (c Credentials) Identity() (*Identity, error) { return ParseIdentity([]byte(c.Seed)) }

// Holder is the name and the public key that a user JWT is for.
func Holder(token string) (name, key string, err error) {
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return "", "", fmt.Errorf("read credentials: %w", err)
	}
	return claims.Name, claims.Subject, nil
}

// LoadCredentials reads a NATS credentials file. A file that others may read is refused:
// whoever read it once can use it for ever.
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

// Save writes a NATS credentials file that only the owner can read, whole or not at all.
func (c Credentials) Save(path string) error {
	b, err := jwt.FormatUserConfig(c.JWT, []byte(c.Seed))
	if err != nil {
		return fmt.Errorf("write credentials %s: %w", path, err)
	}
	return host.WriteFile(path, b)
}
