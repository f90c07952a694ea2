package signing

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/host"
)

// Keys are the private keys of one repository that this client holds: a directory of files
// ROLE-PUBLIC.key, each an ed25519 seed in hex.
type Keys string

// Key is a private key with the role that it signs.
type Key struct {
	Role    string
	Private ed25519.PrivateKey
}

// Public is the public key in hex, as people compare it.
func (k Key) Public() string {
	return hex.EncodeToString(k.Private.Public().(ed25519.PublicKey))
}

func (d Keys) file(role, public string) string {
	return filepath.Join(string(d), role+"-"+public+".key")
}

// Make makes a key for a role and writes it into the directory.
func (d Keys) Make(role string) (Key, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return Key{}, err
	}
	k := Key{role, private}
	err = host.MakeDirectory(string(d))
	if err == nil {
		err = host.WriteFile(d.file(role, k.Public()), []byte(hex.EncodeToString(private.Seed())+"\n"))
	}
	if err != nil {
		return k, fmt.Errorf("make the %s key: %w", role, err)
	}
	return k, nil
}

// All gives the keys of every role, sorted by file name. It refuses a file that others can read,
// and one whose name says another public key than the key in it has: somebody has exchanged it.
func (d Keys) All() ([]Key, error) {
	names, err := filepath.Glob(filepath.Join(string(d), "*-*.key"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	keys := make([]Key, 0, len(names))
	for _, name := range names {
		k, err := readKey(name)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func readKey(name string) (Key, error) {
	text, err := host.ReadSecret(name)
	if err != nil {
		return Key{}, err
	}
	role, public, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".key"), "-")
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err == nil && len(seed) != ed25519.SeedSize {
		err = errors.New("it is no ed25519 seed")
	}
	if err != nil {
		return Key{}, fmt.Errorf("read the key %s: %w", name, err)
	}
	k := Key{role, ed25519.NewKeyFromSeed(seed)}
	if k.Public() != public {
		return Key{}, fmt.Errorf("read the key %s: its name says another public key than %s", name, k.Public())
	}
	return k, nil
}

// Of gives the keys of one role.
func (d Keys) Of(role string) ([]Key, error) {
	keys, err := d.All()
	return slices.DeleteFunc(keys, func(k Key) bool { return k.Role != role }), err
}
