package bus

import (
	"fmt"

	"github.com/nats-io/nkeys"

	"github.com/jujube-project/jujube/events"
)

// Identity is an nkey pair of a user (ed25519). With it somebody proves who he is: to NATS at
// every connection, and to the far end by what he signs. The private half stays in the
// process and in the file that hold it.
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

// ParseIdentity makes the pair from its seed, "SU…". Seeds of other nkeys (accounts,
// operators) are refused.
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

// Public is the public half, "U…". Everybody knows the identity by it.
func (i *Identity) Public() string { return i.public }

// Seed is the private half, "SU…": a secret.
func (i *Identity) Seed() []byte { return i.seed }

// Sign signs b with ed25519.
func (i *Identity) Sign(b []byte) ([]byte, error) { return i.keys.Sign(b) }

// publicKeyLength is how long the text of a public nkey is. nkeys itself reads past a few
// characters too many.
const publicKeyLength = 56

// IsPublicKey says whether s is the public nkey of a user, "U…".
func IsPublicKey(s string) bool {
	return len(s) == publicKeyLength && nkeys.IsValidPublicUserKey(s)
}

// Verify returns nil if sig is the signature of publicKey's holder over b, else ErrSignature.
func Verify(publicKey string, b, sig []byte) error { return events.CheckSignature(publicKey, b, sig) }
