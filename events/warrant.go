package events

import (
	"fmt"
	"time"
)

// Warrant is what makes an order lawful. It holds what operators signed, byte for byte, and the
// proof that the machine is one of those that they signed it for. Package events/warrant checks it.
type Warrant struct {
	Request   []byte   `json:"signed"`              // the request: a Signed
	Approvals [][]byte `json:"approvals,omitempty"` // of other operators, who agree; each is a Signed
	Index     int64    `json:"index,omitempty"`     // place of the machine in the request's list
	Proof     [][]byte `json:"proof,omitempty"`     // hashes from that place up to the root of the list
}

// Limits of a warrant.
const (
	MaxApprovals   = 16
	maxProofHashes = 32 // enough for a list of 2^32 machines
)

func (w *Warrant) validate() error {
	if len(w.Approvals) > MaxApprovals || len(w.Proof) > maxProofHashes || w.Index < 0 {
		return fmt.Errorf("a warrant with %d approvals, a proof of %d hashes and the index %d; limits %d, %d and 0 upwards",
			len(w.Approvals), len(w.Proof), w.Index, MaxApprovals, maxProofHashes)
	}
	for _, b := range append([][]byte{w.Request}, w.Approvals...) {
		if len(b) > MaxRequestBytes {
			return fmt.Errorf("a statement of %d bytes in a warrant, limit %d", len(b), MaxRequestBytes)
		}
	}
	return nil
}

// MachineList is the list of machines that an operator signs. It is the root of a Merkle tree over
// them, so that each machine needs to see only its own place in the list.
type MachineList struct {
	Root  []byte `json:"root"` // SHA-256
	Count int    `json:"count"`
}

// MaxMachines is how many machines one request may be about.
const MaxMachines = 50_000

// MaxRequestLife is how long after a request was signed machines may begin what it asks.
const MaxRequestLife = 7 * 24 * time.Hour
