package bus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/jwt/v2"
)

// Credentials let somebody connect: a user JWT, which is no secret, and the seed of the
// key that it names, which is.
type Credentials struct {
	JWT  string `json:"jwt"`
	Seed string `json:"seed"`
}

// Identity is the key pair of the credentials.
func (c Credentials) Identity() (*Identity, error) { return ParseIdentity([]byte(c.Seed)) }

// LoadCredentials reads a NATS credentials file. A file that others may read is refused:
// whoever read it once can use it for ever.
func LoadCredentials(path string) (Credentials, error) {
	b, err := readSecret(path)
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
	return writeSecret(path, b)
}

func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("read secret %s: others can read it (mode %v); after `chmod 600 %s` it is used again", path, info.Mode().Perm(), path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read secret: %w", err)
	}
	return b, nil
}

// writeSecret replaces path atomically and durably.
func writeSecret(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return fmt.Errorf("write secret: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write secret %s: %w", path, err), os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
