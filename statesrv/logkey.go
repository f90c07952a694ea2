package statesrv

import (
	"crypto/rand"
	"fmt"
	"os"

	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
)

// NewLogKey makes a state server's log key where it is used, and gives its public half,
// which the roster must list before anybody believes it. A key that is there is replaced.
func NewLogKey(dataDir, environment string) (public string, err error) {
	private, public, err := tree.NewKey(rand.Reader, environment)
	if err != nil {
		return "", err
	}
	return public, host.WriteFile(LogKeyFile(dataDir), []byte(private+"\n"))
}

// LoadLogKey reads what NewLogKey wrote.
func LoadLogKey(dataDir, environment string) (*tree.Signer, error) {
	b, err := os.ReadFile(LogKeyFile(dataDir))
	if err != nil {
		return nil, fmt.Errorf("read the log key: %w", err)
	}
	return tree.NewSigner(environment, string(b))
}
