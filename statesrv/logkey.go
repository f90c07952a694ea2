package statesrv

import (
	"fmt"

	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/host"
)

// LoadLogKey reads the key that `jujud bootstrap` made.
func LoadLogKey(dataDir, environment string) (*tree.Signer, error) {
	b, err := host.ReadSecret(LogKeyFile(dataDir))
	if err != nil {
		return nil, fmt.Errorf("read the log key: %w", err)
	}
	return tree.NewSigner(environment, string(b))
}
