package events

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrSignature says that a signature was not made with that key over those bytes, or that the key
// is no public user nkey.
var ErrSignature = errors.New("signature does not match")

// Signer holds the key of an operator, a machine or a state server.
type Signer interface {
	Public() string // nkey of a user, "U…"
	Sign(b []byte) ([]byte, error)
}

// CheckSignature returns ErrSignature unless the holder of a public user nkey made the signature
// over b.
func CheckSignature(key string, b, signature []byte) error {
	public, ok := publicKey(key)
	if !ok {
		return fmt.Errorf("%w: %q is no public key", ErrSignature, key)
	}
	if !ed25519.Verify(public, b, signature) {
		return fmt.Errorf("%w: it is not by %s over these bytes", ErrSignature, key)
	}
	return nil
}

// The form of a public user nkey: a prefix, an ed25519 key and a checksum, in base32.
// Source: nkeys, strkey.go.
const (
	nkeyUser  = 20 << 3
	nkeyBytes = 1 + ed25519.PublicKeySize + 2
	nkeyChars = nkeyBytes * 8 / 5
)

// publicKey reads a public user nkey.
func publicKey(key string) (ed25519.PublicKey, bool) {
	if len(key) != nkeyChars {
		return nil, false
	}
	raw, err := base32.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != nkeyBytes || raw[0] != nkeyUser {
		return nil, false
	}
	body, sum := raw[:nkeyBytes-2], binary.LittleEndian.Uint16(raw[nkeyBytes-2:])
	return ed25519.PublicKey(body[1:]), crc16(body) == sum
}

// crc16 is CRC-16/XMODEM.
func crc16(b []byte) (sum uint16) {
	for _, c := range b {
		sum ^= uint16(c) << 8
		for range 8 {
			carry := sum&0x8000 != 0
			sum <<= 1
			if carry {
				sum ^= 0x1021
			}
		}
	}
	return sum
}
