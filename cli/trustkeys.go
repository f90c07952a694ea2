package cli

import (
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jujube-project/jujube/agent/install"
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
		err = install.WriteFile(d.file(role, k.Public()), []byte(hex.EncodeToString(private.Seed())+"\n"))
	}
	if err != nil {
		return k, fmt.Errorf("make the %s key: %w", role, err)
	}
	return k, nil
}
