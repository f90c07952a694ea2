package statesrv

import (
	"log/slog"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/bus/server"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// Config is what a Server needs. All fields without a stated zero value are required.
type Config struct {
	Dir         string       // where snapshot.json lies
	StoreDir    string       // where an embedded NATS keeps its files, whose disk must not fill up; empty: NATS is elsewhere
	Reopen      func() error // opens the store of an embedded NATS anew; required with StoreDir
	Name        string       // "state-server-0": the actor of what it decides
	Environment string       // UUID; a log of another environment is refused
	Bus         *bus.Conn
	System      *bus.Conn // of the system account: tells NATS whose credentials are revoked
	Accounts    *server.Accounts
	LogKey      *tree.Signer // signs checkpoints of the log
	Logs        []string     // public log keys of the other state servers, whose checkpoints are believed, too
	Site        *Site        // what it publishes the signed metadata with
	Authorities string       // file with the certificates of NATS that machines are told to trust; empty: they keep those that they have
	URLs        []string     // where enrolled machines connect
	Genesis     Genesis      // opens an empty log
	HTTPAddr    string       // HOST:PORT of the web page, /status, /metrics, /healthz; no HOST: loopback; empty: none
	HTTPNames   []string     // names that a browser may use for this host, beside the ones the host knows itself
	LeaseTTL    time.Duration
	Now         func() time.Time
	NewID       func() string
	Logger      *slog.Logger
}

// Genesis is what an environment begins with. Bootstrap decides it.
type Genesis struct {
	Name         string            `yaml:"name"`
	AgentVersion version.Number    `yaml:"agent_version"`
	Operators    []events.Operator `yaml:"operators"`
	Machine      GenesisMachine    `yaml:"machine"`
	Settings     map[string]string `yaml:"settings,omitempty"` // set from the start
}

// GenesisMachine is machine 0. Bootstrap enrols it, without a join token.
type GenesisMachine struct {
	Key      string         `yaml:"key"`
	Hostname string         `yaml:"hostname"`
	Version  version.Binary `yaml:"version"`
}
