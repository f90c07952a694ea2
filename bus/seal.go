package bus

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha512"
	"fmt"
	"math/big"
	"slices"

	"github.com/nats-io/nkeys"
)

// Seal encrypts a text for the holder of a public nkey: nobody else can read it, and he only if he
// knows what it is about. The scheme is HPKE in base mode (RFC 9180: X25519, HKDF-SHA256,
// ChaCha20-Poly1305). It hides who sealed: the caller signs what he sends.
//
// The key that the holder signs with is the key that is sealed for, in the form of X25519. So
// nothing that has to be reported, kept or believed is added to what a machine is known by.
// Ed25519 signatures and X25519 with one key do not weaken each other (Degabriele et al., "On the
// Joint Security of Encryption and Signature in EMV"; age and libsodium do the same).
func Seal(key string, about, text []byte) ([]byte, error) {
	edwards, err := nkeys.Decode(nkeys.PrefixByteUser, []byte(key))
	if err != nil || !IsPublicKey(key) {
		return nil, fmt.Errorf("seal for %q: it is no public key", key)
	}
	public, err := ecdh.X25519().NewPublicKey(montgomery(edwards))
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", key, err)
	}
	to, err := hpke.NewDHKEMPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", key, err)
	}
	box, err := hpke.Seal(to, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), about, text)
	if err != nil {
		return nil, fmt.Errorf("seal for %s: %w", key, err)
	}
	return box, nil
}

// Open reads what was sealed for this identity, and about that.
func (i *Identity) Open(about, box []byte) ([]byte, error) {
	_, seed, err := nkeys.DecodeSeed(i.seed)
	if err != nil {
		return nil, fmt.Errorf("open what was sealed: %w", err)
	}
	secret := sha512.Sum512(seed) // as ed25519 makes its own scalar: RFC 8032, section 5.1.5
	private, err := ecdh.X25519().NewPrivateKey(secret[:32])
	if err != nil {
		return nil, fmt.Errorf("open what was sealed: %w", err)
	}
	own, err := hpke.NewDHKEMPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("open what was sealed: %w", err)
	}
	text, err := hpke.Open(own, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), about, box)
	if err != nil {
		return nil, fmt.Errorf("open what was sealed: it is for another key, about something else, or was changed: %w", err)
	}
	return text, nil
}

// montgomery is the X25519 form of an ed25519 public key: u = (1+y)/(1-y) modulo 2²⁵⁵-19.
// Source: RFC 7748, section 4.1. Nothing here is secret, so the time that it takes does not matter.
func montgomery(edwards ed25519.PublicKey) []byte {
	littleEndian := slices.Clone(edwards)
	littleEndian[31] &= 0x7f // the sign of x
	slices.Reverse(littleEndian)
	one, y := big.NewInt(1), new(big.Int).SetBytes(littleEndian)
	p := new(big.Int).Sub(new(big.Int).Lsh(one, 255), big.NewInt(19))
	below := new(big.Int).Sub(one, y)
	below.ModInverse(below.Mod(below, p), p)
	u := new(big.Int).Add(one, y)
	b := u.Mul(u, below).Mod(u, p).FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}
