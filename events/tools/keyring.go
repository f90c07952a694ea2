package tools

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// signatureType separates a signature over metadata from every other use of a key.
const signatureType = "jujube.metadata.v1"

// maxSignature bounds a detached signature.
const maxSignature = limits.SignatureBytes

// Keyring trusts some public keys, each alone. It is the first Verifier. The zero Keyring
// trusts nobody.
type Keyring struct {
	Trusted []string                              // public keys
	Check   func(key string, b, sig []byte) error // whether sig is key's over b; nil error: it is
	Now     func() time.Time
}

// signature is a detached signature as it lies beside its file.
type signature struct {
	Statement []byte `json:"statement"` // a Statement as JSON, exactly as signed
	Signature []byte `json:"signature"`
}

// signed is what the key signs: type, statement and content, each with its length.
// Source of the form: DSSE v1.0.
func signed(statement, content []byte) []byte {
	var b bytes.Buffer
	for _, part := range [][]byte{[]byte(signatureType), statement, content} {
		fmt.Fprintf(&b, "%d ", len(part))
		b.Write(part)
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Verify checks the signature before it believes a word of the statement.
func (k Keyring) Verify(path string, content, sig []byte) (Statement, error) {
	var s signature
	var st Statement
	if k.Check == nil {
		return Statement{}, fmt.Errorf("%s: %w: nobody is", path, ErrSigner)
	}
	if len(sig) > maxSignature {
		return Statement{}, fmt.Errorf("%s: %w: it has %d bytes, limit %d", path, ErrSignature, len(sig), maxSignature)
	}
	if err := json.Unmarshal(sig, &s); err != nil {
		return Statement{}, fmt.Errorf("%s: %w: %w", path, ErrSignature, err)
	}
	if err := json.Unmarshal(s.Statement, &st); err != nil {
		return Statement{}, fmt.Errorf("%s: %w: %w", path, ErrSignature, err)
	}
	switch err := k.Check(st.Signer, signed(s.Statement, content), s.Signature); {
	case err != nil:
		return Statement{}, fmt.Errorf("%s: %w: %w", path, ErrSignature, err)
	case st.Path != path:
		return Statement{}, fmt.Errorf("%s: %w: it is for %q", path, ErrSignature, st.Path)
	case !slices.Contains(k.Trusted, st.Signer):
		return st, fmt.Errorf("%s: %w: it is %s; trusted: %s", path, ErrSigner, st.Signer, orNobody(k.Trusted))
	case !k.Now().Before(st.Expires):
		return st, fmt.Errorf("%s: %w, at %s", path, ErrExpired, st.Expires.UTC().Format(time.RFC3339))
	}
	return st, nil
}

func orNobody(keys []string) string {
	if len(keys) == 0 {
		return "nobody"
	}
	return strings.Join(keys, ", ")
}

// Key is one key pair that signs metadata.
type Key struct {
	Public string
	Secret func(b []byte) (sig []byte, err error)
	Keyring
}

// NewKey makes a Signer of a key pair; it trusts itself.
func NewKey(public string, secret func([]byte) ([]byte, error), check func(key string, b, sig []byte) error, now func() time.Time) Key {
	return Key{Public: public, Secret: secret, Keyring: Keyring{Trusted: []string{public}, Check: check, Now: now}}
}

// Sign signs type, statement and content together.
func (k Key) Sign(st Statement, content []byte) ([]byte, error) {
	st.Signer = k.Public
	statement, err := json.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", st.Path, err)
	}
	sig, err := k.Secret(signed(statement, content))
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", st.Path, err)
	}
	b, err := json.Marshal(signature{Statement: statement, Signature: sig})
	return append(b, '\n'), err
}
