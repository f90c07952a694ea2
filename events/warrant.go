package events

import (
	"errors"
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

// AskApprove agrees to what somebody else asked.
type AskApprove struct {
	Request string `json:"request"` // its id
	SHA256  string `json:"sha256"`  // of its exact bytes, in hex
}

// ApprovalType separates the signature of an approval from that of a request: neither can
// be shown as the other.
const ApprovalType = "jujube.approval.v1"

// SignedType is the type under which an action's statement is signed.
func SignedType(action string) string {
	if action == ActionApprove {
		return ApprovalType
	}
	return RequestType
}

// UpgradePending says that an upgrade could begin, and waits for operators who agree.
type UpgradePending struct {
	Upgrade string `json:"upgrade"`
	Needed  int    `json:"needed"` // operators, who asked for it included
	SHA256  string `json:"sha256"` // of the request's bytes: what is agreed to
}

func (*UpgradePending) Kind() string     { return "upgrade.pending/1" }
func (e *UpgradePending) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate asks for the upgrade and for more than one operator.
func (e *UpgradePending) Validate() error {
	if e.Needed < 2 || len(e.SHA256) != 64 {
		return errors.New("an upgrade that waits for nobody, or no digest of its request")
	}
	return needID("upgrade", e.Upgrade)
}

// UpgradeApproved records that one more operator agrees.
type UpgradeApproved struct {
	Request Request `json:"request"` // the approval
	Upgrade string  `json:"upgrade"`
}

func (*UpgradeApproved) Kind() string     { return "upgrade.approved/1" }
func (e *UpgradeApproved) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate checks the approval and the upgrade.
func (e *UpgradeApproved) Validate() error {
	return errors.Join(e.Request.Validate(), needID("upgrade", e.Upgrade))
}
