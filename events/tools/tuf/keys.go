package tuf

import (
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Keys are the public keys of one role, and the number of them that must sign.
type Keys struct {
	Public    []ed25519.PublicKey
	Threshold int // 1 to len(Public)
}

// Roles are the keys of all four roles: the content of a root.
type Roles struct{ Root, Targets, Snapshot, Timestamp Keys }

func (r Roles) each() map[string]Keys {
	return map[string]Keys{Root: r.Root, Targets: r.Targets, Snapshot: r.Snapshot, Timestamp: r.Timestamp}
}

func (r Roles) validate() error {
	for _, role := range roles {
		k := r.each()[role]
		if k.Threshold < 1 || k.Threshold > len(k.Public) {
			return fmt.Errorf("%s: %d of %d keys must sign; the threshold is 1 to the number of keys", role, k.Threshold, len(k.Public))
		}
		for i, public := range k.Public {
			if len(public) != ed25519.PublicKeySize {
				return fmt.Errorf("%s: a key of %d bytes, must be %d", role, len(public), ed25519.PublicKeySize)
			}
			if slices.ContainsFunc(k.Public[:i], func(o ed25519.PublicKey) bool { return o.Equal(public) }) {
				return fmt.Errorf("%s: the key %s stands twice", role, KeyID(public))
			}
		}
	}
	return nil
}

// KeyID names a public key in metadata: SHA-256 over its canonical form, in hex. Source:
// TUF 1.0, section 4.2.
func KeyID(public ed25519.PublicKey) string {
	id, _ := keyOf(public).ID() // it cannot fail: three strings can always be encoded
	return id
}

func keyOf(public ed25519.PublicKey) *metadata.Key {
	return &metadata.Key{
		Type: metadata.KeyTypeEd25519, Scheme: metadata.KeySchemeEd25519,
		Value: metadata.KeyVal{PublicKey: hex.EncodeToString(public)},
	}
}

// publicOf reads a key of metadata. It returns an error for any other than an ed25519 key of 32 bytes.
func publicOf(k *metadata.Key) (ed25519.PublicKey, error) {
	if k.Type != metadata.KeyTypeEd25519 || k.Scheme != metadata.KeySchemeEd25519 {
		return nil, fmt.Errorf("a key of type %.40q", k.Type)
	}
	b, err := hex.DecodeString(k.Value.PublicKey)
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("an ed25519 key of %d bytes", len(b))
	}
	return b, nil
}

// rolesOf reads the roles of a root.
func rolesOf(doc rootDoc) Roles {
	read := func(role string) Keys {
		k := Keys{Threshold: doc.Signed.Roles[role].Threshold}
		for _, id := range doc.Signed.Roles[role].KeyIDs {
			if public, err := publicOf(doc.Signed.Keys[id]); err == nil {
				k.Public = append(k.Public, public)
			}
		}
		return k
	}
	return Roles{Root: read(Root), Targets: read(Targets), Snapshot: read(Snapshot), Timestamp: read(Timestamp)}
}

// write puts the roles into a root.
func (r Roles) write(doc rootDoc) {
	doc.Signed.Keys = map[string]*metadata.Key{}
	for _, role := range roles {
		k := r.each()[role]
		ids := make([]string, 0, len(k.Public))
		for _, public := range k.Public {
			id := KeyID(public)
			doc.Signed.Keys[id] = keyOf(public)
			ids = append(ids, id)
		}
		doc.Signed.Roles[role] = &metadata.Role{KeyIDs: ids, Threshold: k.Threshold}
	}
}

// publicOfSigner gives the public key of a signer, which must be an ed25519 key.
func publicOfSigner(key crypto.Signer) (ed25519.PublicKey, error) {
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok || len(public) != ed25519.PublicKeySize {
		return nil, errors.New("it is no ed25519 key")
	}
	return public, nil
}

// signDoc adds the signature of a key to a document, in place of an older one of the same key.
func signDoc[T metadata.Roles](doc *metadata.Metadata[T], key crypto.Signer) error {
	public, err := publicOfSigner(key)
	if err != nil {
		return err
	}
	payload, err := cjson.EncodeCanonical(doc.Signed)
	if err != nil {
		return err
	}
	sig, err := key.Sign(nil, payload, crypto.Hash(0)) // ed25519 needs no randomness
	if err != nil {
		return err
	}
	id := KeyID(public)
	doc.Signatures = slices.DeleteFunc(doc.Signatures, func(s metadata.Signature) bool { return s.KeyID == id })
	doc.Signatures = append(doc.Signatures, metadata.Signature{KeyID: id, Signature: sig})
	return nil
}
