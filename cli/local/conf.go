package local

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/host"
)

// conf is what this client reads of agent.conf. The names of the fields are Juju's; jujud
// writes the file (agent.Conf).
type conf struct {
	Tag         string   `yaml:"tag"`
	Environment string   `yaml:"environment"` // UUID
	Addresses   []string `yaml:"apiaddresses"`
}

// errNoConf: the data directory has no agent.conf, so its machine was never enrolled.
var errNoConf = errors.New("there is no agent.conf")

// Addresses are the URLs at which a machine's jujud looks for its environment.
func Addresses(dir string) ([]string, error) {
	c, err := readConf(dir)
	return c.Addresses, err
}

// readConf reads the one agent.conf of a data directory.
func readConf(dir string) (conf, error) {
	var c conf
	names, err := filepath.Glob(filepath.Join(dir, "agents", "machine-*", "agent.conf"))
	switch {
	case err != nil:
		return c, fmt.Errorf("read agent.conf: %w", err)
	case len(names) == 0:
		return c, fmt.Errorf("read agent.conf in %s: %w", dir, errNoConf)
	case len(names) > 1:
		return c, fmt.Errorf("read agent.conf: %s is the data directory of %d machines", dir, len(names))
	}
	b, err := host.ReadPinned(names[0])
	if err != nil {
		return c, fmt.Errorf("read agent.conf: %w", err)
	}
	if err := yaml.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("read %s: %w", names[0], err)
	}
	if c.Tag != filepath.Base(filepath.Dir(names[0])) || c.Environment == "" {
		return c, fmt.Errorf("read %s: its tag or its environment is missing, or it is another machine's", names[0])
	}
	return c, nil
}
