package wire

import (
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// EnvironmentInfo is the answer to Environment: what the environment is set to, and what its
// state server runs.
type EnvironmentInfo struct {
	UUID         string            `json:"uuid"`
	Name         string            `json:"name"`
	AgentVersion version.Number    `json:"agent_version"`  // that the environment wants
	Settings     map[string]string `json:"settings"`       // all that are in force, defaults as well
	Set          []string          `json:"set"`            // keys of those that somebody has set
	Server       version.Number    `json:"server_version"` // that the state server runs
}

// Running is the answer to Version: what the state server runs.
type Running struct {
	Version version.Number `json:"version"`
	Stopped *events.Reason `json:"stopped,omitempty"` // why it writes nothing at this moment; nil: it writes
}

// Position is the answer to Digest: the state that the state server serves. Whoever folds the
// log up to Seq must come to a state with the same Digest.
type Position struct {
	Seq    uint64 `json:"seq"`
	Digest string `json:"digest"`
}

// Proof is the answer to LogProof: the newest signed checkpoint of the log, and the hashes that
// prove that the log of the checkpoint begins with the log that the client has seen. A client
// that has seen nothing, or all of it, gets no hashes.
type Proof struct {
	Checkpoint []byte      `json:"checkpoint"` // the note, with its signatures
	Hashes     []tree.Hash `json:"hashes,omitempty"`
}
