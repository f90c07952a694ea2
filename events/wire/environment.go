package wire

import (
	"github.com/jujube-project/jujube/events/tree"
	"github.com/jujube-project/jujube/events/version"
)

// Environment is the answer to the query "environment".
type Environment struct {
	UUID         string            `json:"uuid"`
	Name         string            `json:"name"`
	AgentVersion version.Number    `json:"agent_version"`
	Settings     map[string]string `json:"settings"` // in force, defaults included
	Set          []string          `json:"set"`      // the keys that were set
	Server       version.Number    `json:"server_version"`
}

// Running is the answer to the query "version": the version that the state server runs.
type Running struct {
	Version version.Number `json:"version"`
}

// Position is the answer to the query "digest": a replay of the log up to Seq comes to
// the same Digest.
type Position struct {
	Seq    uint64 `json:"seq"`
	Digest string `json:"digest"`
}

// LogProof is the answer to the query "log-proof", whose body names how many records the
// asker has seen: the newest checkpoint, and what proves that its log goes on from there.
type LogProof struct {
	Checkpoint []byte      `json:"checkpoint"` // the signed note
	Hashes     []tree.Hash `json:"hashes,omitempty"`
}
