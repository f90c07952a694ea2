package statesrv

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/host"
)

// FileConfig is server.yaml in the state server's directory: what bootstrap decided.
type FileConfig struct {
	Environment string   `yaml:"environment"` // UUID
	Name        string   `yaml:"name"`
	Host        string   `yaml:"host"`                // to listen on
	Port        int      `yaml:"port"`                // 0: chosen at the first start and written back
	Advertise   []string `yaml:"advertise,omitempty"` // hosts that machines connect to; empty: Host
	NATSURL     string   `yaml:"nats_url,omitempty"`  // of an external NATS; empty: embedded
	HTTP        string   `yaml:"http,omitempty"`      // HOST:PORT, no HOST: loopback; empty: no HTTP
	Replicas    int      `yaml:"replicas,omitempty"`  // copies of each stream; 0: one
	Genesis     Genesis  `yaml:"genesis"`
}

// LoadFileConfig reads server.yaml. fs.ErrNotExist means that the machine is no state
// server.
func LoadFileConfig(dataDir string) (FileConfig, error) {
	var c FileConfig
	b, err := host.ReadPinned(configFile(dataDir))
	if err != nil {
		return c, fmt.Errorf("read the state server's configuration: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(b, &c, yaml.Strict()); err != nil {
		return c, fmt.Errorf("read the state server's configuration %s: %w", configFile(dataDir), err)
	}
	if !events.IsID(c.Environment) || !events.IsID(c.Name) || c.Port < 0 || c.Port > 65535 {
		return c, fmt.Errorf("read the state server's configuration %s: environment, name or port is missing or malformed", configFile(dataDir))
	}
	return c, nil
}

// IsStateServer says whether the machine with that data directory is a state server. If that cannot be
// found out, it says yes: starting will then say what is wrong.
func IsStateServer(dataDir string) bool {
	_, err := os.Stat(configFile(dataDir))
	return !errors.Is(err, fs.ErrNotExist)
}

// Save writes server.yaml, whole or not at all.
func (c FileConfig) Save(dataDir string) error {
	b, err := yaml.Marshal(c)
	if err != nil {
		return fmt.Errorf("write the state server's configuration: %w", err)
	}
	return host.WriteFile(configFile(dataDir), b)
}
