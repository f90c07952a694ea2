// Package testkey gives keys of people, machines and state servers to tests, by name. The same name
// always gives the same key, so everybody can sign with it: the product must never link this package.
package testkey

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base32"

	"github.com/jujube-project/jujube/events"
)

// Key is the key of a name.
type Key struct{ private ed25519.PrivateKey }

var _ events.Signer = Key{}

// Of gives the key of this name.
func Of(name string) Key {
	seed := sha256.Sum256([]byte("a key for tests: " + name))
	return Key{ed25519.NewKeyFromSeed(seed[:])}
}

// Public is the public nkey, "U…".
func (k Key) Public() string {
	raw := append([]byte{20 << 3}, k.private.Public().(ed25519.PublicKey)...)
	sum := crc16(raw)
	return base32.StdEncoding.EncodeToString(append(raw, byte(sum), byte(sum>>8)))
}

// Sign signs b with ed25519.
func (k Key) Sign(b []byte) ([]byte, error) { return ed25519.Sign(k.private, b), nil }

// crc16 is CRC-16/XMODEM, bit by bit.
func crc16(b []byte) (sum uint16) {
	for _, c := range b {
		for bit := 7; bit >= 0; bit-- {
			top := sum>>15 ^ uint16(c>>bit&1)
			sum = sum<<1 ^ top*0x1021
		}
	}
	return sum
}
