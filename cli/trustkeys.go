package cli

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/host"
)

// trustKeys are the private keys of one repository that this client holds: files
// ROLE-PUBLIC.key in a directory of its own, each an ed25519 seed in hex.
type trustKeys string

// trustKey is one of them.
type trustKey struct {
	Role    string
	Private ed25519.PrivateKey
}

// Public is the public half, as people compare it.
func (k trustKey) Public() string {
	return hex.EncodeToString(k.Private.Public().(ed25519.PublicKey))
}

func (d trustKeys) file(role, public string) string {
	return filepath.Join(string(d), role+"-"+public+".key")
}

// make makes a key for a role.
func (d trustKeys) make(role string) (trustKey, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return trustKey{}, err
	}
	k := trustKey{role, private}
	err = os.MkdirAll(string(d), 0o700)
	if err == nil {
		err = host.WriteFile(d.file(role, k.Public()), []byte(hex.EncodeToString(private.Seed())+"\n"))
	}
	if err != nil {
		return k, fmt.Errorf("make the %s key: %w", role, err)
	}
	return k, nil
}

// all are the keys that this client holds, sorted by name. One that others can read is
// refused, and so is one whose name is not its own.
func (d trustKeys) all() ([]trustKey, error) {
	names, err := filepath.Glob(filepath.Join(string(d), "*-*.key"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	keys := make([]trustKey, 0, len(names))
	for _, name := range names {
		k, err := readTrustKey(name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func readTrustKey(name string) (trustKey, error) {
	text, err := host.ReadSecret(name)
	if err != nil {
		return trustKey{}, err
	}
	role, public, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".key"), "-")
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err == nil && len(seed) != ed25519.SeedSize {
		err = errors.New("it is no ed25519 seed")
	}
	if err != nil {
		return trustKey{}, fmt.Errorf("read the key %s: %w", name, err)
	}
	k := trustKey{role, ed25519.NewKeyFromSeed(seed)}
	if k.Public() != public {
		return trustKey{}, fmt.Errorf("read the key %s: its name says another public key than %s", name, k.Public())
	}
	return k, nil
}

// of are the keys of one role.
func (d trustKeys) of(role string) ([]trustKey, error) {
	keys, err := d.all()
	return slices.DeleteFunc(keys, func(k trustKey) bool { return k.Role != role }), err
}
