package events

import (
	"fmt"
	"time"
)

// Warrant is what makes an order lawful: what operators signed, byte for byte, and the proof
// that the machine is among those they signed it for. Package events/warrant checks it.
type Warrant struct {
	Request   []byte   `json:"signed"`              // an operator's Signed
	Approvals [][]byte `json:"approvals,omitempty"` // of others, who agree; each a Signed
	Index     int64    `json:"index,omitempty"`     // of the machine in the request's list
	Proof     [][]byte `json:"proof,omitempty"`     // hashes from the machine up to the list's root
}

// Limits of a warrant.
const (
	MaxApprovals   = 16
	maxProofHashes = 32 // of a list of 2^32 machines
)

func (w *Warrant) validate() error {
	if len(w.Approvals) > MaxApprovals || len(w.Proof) > maxProofHashes || w.Index < 0 {
		return fmt.Errorf("a warrant with %d approvals and a proof of %d hashes", len(w.Approvals), len(w.Proof))
	}
	for _, b := range append([][]byte{w.Request}, w.Approvals...) {
		if len(b) > MaxRequestBytes {
			return fmt.Errorf("a statement of %d bytes in a warrant, limit %d", len(b), MaxRequestBytes)
		}
	}
	return nil
}

// MachineList is the list of machines that an operator signs: the root of a Merkle tree
// over them, so that each needs to see no more than its own place in it.
type MachineList struct {
	Root  []byte `json:"root"` // SHA-256
	Count int    `json:"count"`
}

// MaxMachines is how many machines one request may be about.
const MaxMachines = 50_000

// MaxRequestLife is how long after its signature machines may begin what a request asks.
const MaxRequestLife = 7 * 24 * time.Hour
