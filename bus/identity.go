package bus

import (
	"fmt"

	"github.com/jujube-project/jujube/events"
	"github.com/nats-io/nkeys"
)

// Identity is an nkey pair of a user: who somebody is, to NATS and end to end. The
// private half never leaves the process and the file that hold it.
type Identity struct {
	keys   nkeys.KeyPair
	public string
	seed   []byte
}

// NewIdentity makes a new pair.
func NewIdentity() (*Identity, error) {
	keys, err := nkeys.CreateUser()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	seed, err := keys.Seed()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return ParseIdentity(seed)
}

// ParseIdentity reads the seed of a user nkey ("SU…").
func ParseIdentity(seed []byte) (*Identity, error) {
	keys, err := nkeys.FromSeed(seed)
	if err != nil {
		return nil, fmt.Errorf("read a key's seed: %w", err)
	}
	public, err := keys.PublicKey()
	if err != nil || !nkeys.IsValidPublicUserKey(public) {
		return nil, fmt.Errorf("read a key's seed: it is not the seed of a user key")
	}
	return &Identity{keys: keys, public: public, seed: seed}, nil
}

// Public is the public nkey, "U…": the identity's name.
func (i *Identity) Public() string { return i.public }

// Seed is the secret.
func (i *Identity) Seed() []byte { return i.seed }

// Sign signs b with ed25519.
func (i *Identity) Sign(b []byte) ([]byte, error) { return i.keys.Sign(b) }

// IsPublicKey says whether s is the public nkey of a user, "U…".
func IsPublicKey(s string) bool { return nkeys.IsValidPublicUserKey(s) }

// Verify checks that sig is the signature of the holder of publicKey over b. It returns
// ErrSignature for any other outcome.
func Verify(publicKey string, b, sig []byte) error { return events.CheckSignature(publicKey, b, sig) }
