package wire

import (
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// EnvironmentInfo is the answer to Environment.
type EnvironmentInfo struct {
	UUID         string            `json:"uuid"`
	Name         string            `json:"name"`
	AgentVersion version.Number    `json:"agent_version"`
	Settings     map[string]string `json:"settings"` // in force, defaults included
	Set          []string          `json:"set"`      // the keys that were set
	Server       version.Number    `json:"server_version"`
}

// Running is the answer to Version.
type Running struct {
	Version version.Number `json:"version"`
}

// Position is the answer to Digest: a replay of the log up to Seq comes to the same Digest.
type Position struct {
	Seq    uint64 `json:"seq"`
	Digest string `json:"digest"`
}

// Proof is the answer to LogProof: the newest checkpoint, and what proves that its log goes
// on from what the asker has seen.
type Proof struct {
	Checkpoint []byte      `json:"checkpoint"` // the signed note
	Hashes     []tree.Hash `json:"hashes,omitempty"`
}
