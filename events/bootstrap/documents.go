package bootstrap

import (
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/events"
)

// Plan is what the operator decided.
type Plan struct {
	Environment string            `json:"environment"` // UUID
	Name        string            `json:"name"`
	Operator    events.Operator   `json:"operator"`            // the environment's first one, with the grants that he will have
	Settings    map[string]string `json:"settings,omitempty"`  // set from the start
	Host        string            `json:"host"`                // address that NATS listens on
	Port        int               `json:"port,omitempty"`      // 0: chosen at the first start
	Advertise   []string          `json:"advertise,omitempty"` // hosts that machines connect to; none: Host
	HTTP        string            `json:"http,omitempty"`      // HOST:PORT; empty: no HTTP
	NATSURL     string            `json:"nats_url,omitempty"`  // of an external NATS; empty: the one inside jujud
	Certificate string            `json:"nats_cert,omitempty"` // PEM; the authority that signs for an external NATS; empty: the environment's own
}

// Keys are the public keys that jujud made for the first state server.
type Keys struct {
	StateServer string `json:"state_server"` // nkey; signs orders
	Log         string `json:"log"`          // verifier key of the log's checkpoints
	Snapshot    []byte `json:"snapshot"`     // ed25519; of that role of the environment's metadata
	Timestamp   []byte `json:"timestamp"`    // ed25519; likewise
}

// Signed is the environment's first metadata: a tuf.Bundle with root and targets, which
// names the operators and the keys of Keys.
type Signed struct {
	Bundle []byte `json:"bundle"`
}

// Made is what the client needs in order to connect.
type Made struct {
	JWT          string `json:"jwt"`          // lets the operator's key in
	Certificates string `json:"certificates"` // PEM; the authorities to pin
}

func (p Plan) validate() error {
	switch {
	case !events.IsID(p.Environment) || !events.IsID(p.Name):
		return fmt.Errorf("read the plan: the environment's UUID %q or its name %q is missing or malformed", p.Environment, p.Name)
	case !events.IsID(p.Operator.Name) || p.Operator.Key == "":
		return fmt.Errorf("read the plan: the operator's name %q or his key is missing or malformed", p.Operator.Name)
	case p.Port < 0 || p.Port > 65535:
		return fmt.Errorf("read the plan: port %d is not 0 to 65535", p.Port)
	case p.Host == "" && p.NATSURL == "":
		return errors.New("read the plan: it names no address for NATS")
	}
	return nil
}
