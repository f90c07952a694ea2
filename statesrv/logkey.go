package statesrv

import (
	"fmt"
	"os"

	"github.com/jujube-project/jujube/events/tree"
)

// LoadLogKey reads the key that `jujud bootstrap` made.
func LoadLogKey(dataDir, environment string) (*tree.Signer, error) {
	b, err := os.ReadFile(LogKeyFile(dataDir))
	if err != nil {
		return nil, fmt.Errorf("read the log key: %w", err)
	}
	return tree.NewSigner(environment, string(b))
}
