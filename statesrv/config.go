package statesrv

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
	"github.com/jujube-project/jujube/host"
)

// Config is what a Server needs. All fields without a stated zero value are required.
type Config struct {
	Dir         string // where snapshot.json lies
	StoreDir    string // where an embedded NATS keeps its files, whose disk must not fill up; empty: NATS is elsewhere
	Name        string // "state-server-0": the actor of what it decides
	Environment string // UUID; a log of another environment is refused
	Bus         *bus.Conn
	System      *bus.Conn // with which NATS is told whose credentials are revoked
	Accounts    *server.Accounts
	LogKey      *tree.Signer // signs checkpoints of the log
	Logs        []string     // public log keys of other state servers; none: there are none
	Site        *Site        // the signed metadata that it publishes
	Authorities string       // file of the certificates that machines are told to believe; empty: they keep theirs
	URLs        []string     // where enrolled machines connect
	Genesis     Genesis      // opens an empty log
	HTTPAddr    string       // HOST:PORT of the web page, /status, /metrics, /healthz; no HOST: loopback; empty: none
	HTTPNames   []string     // names under which they may be asked for, besides this host's own
	LeaseTTL    time.Duration
	Now         func() time.Time
	NewID       func() string
	Logger      *slog.Logger
}

// Genesis is how an environment begins.
type Genesis struct {
	Name         string            `yaml:"name"`
	AgentVersion version.Number    `yaml:"agent_version"`
	Operators    []events.Operator `yaml:"operators"`
	Machine      GenesisMachine    `yaml:"machine"`
	Settings     map[string]string `yaml:"settings,omitempty"` // set from the start
}

// GenesisMachine is machine 0: it is enrolled by bootstrap, not by a token.
type GenesisMachine struct {
	Key      string         `yaml:"key"`
	Hostname string         `yaml:"hostname"`
	Version  version.Binary `yaml:"version"`
}

// FileConfig is server.yaml in the state server's directory: what bootstrap decided.
type FileConfig struct {
	Environment string   `yaml:"environment"` // UUID
	Name        string   `yaml:"name"`
	Host        string   `yaml:"host"`                // to listen on
	Port        int      `yaml:"port"`                // 0: chosen at the first start and written back
	Advertise   []string `yaml:"advertise,omitempty"` // hosts that machines connect to; empty: Host
	NATSURL     string   `yaml:"nats_url,omitempty"`  // of an external NATS; empty: embedded
	HTTP        string   `yaml:"http,omitempty"`      // HOST:PORT, no HOST: loopback; empty: no HTTP
	Replicas    int      `yaml:"replicas,omitempty"`  // of the streams; 0: 1
	Genesis     Genesis  `yaml:"genesis"`
}

// The files of a state server, below a machine's data directory.
const dirServer = "server"

// Dir is the state server's directory in a machine's data directory.
func Dir(dataDir string) string { return filepath.Join(dataDir, dirServer) }

// TrustFile and CredentialsFile hold the state server's secrets.
func TrustFile(dataDir string) string { return filepath.Join(Dir(dataDir), "trust.json") }

// CredentialsFile is how the state server connects to NATS.
func CredentialsFile(dataDir string) string {
	return filepath.Join(Dir(dataDir), "state-server.creds")
}

// StoreDir is where an embedded NATS keeps its files.
func StoreDir(dataDir string) string { return filepath.Join(Dir(dataDir), "jetstream") }

func configFile(dataDir string) string { return filepath.Join(Dir(dataDir), "server.yaml") }

// LoadFileConfig reads server.yaml. fs.ErrNotExist means that the machine is no state
// server.
func LoadFileConfig(dataDir string) (FileConfig, error) {
	var c FileConfig
	b, err := os.ReadFile(configFile(dataDir))
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

// IsStateServer says whether the machine with that data directory is a state server.
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
