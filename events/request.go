package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// MaxRequestBytes limits a signed request on the wire.
const MaxRequestBytes = limits.RequestBytes

// Ask is what an operator's client writes, signs and publishes: the statement inside a
// signed request. Exactly the part that belongs to Action is set.
type Ask struct {
	ID          string    `json:"id"`          // UUIDv7, also the last token of the subject
	Environment string    `json:"environment"` // UUID: a request cannot be carried to another one
	Action      string    `json:"action"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"` // not judged later than this

	Until    time.Time    `json:"until,omitzero"`     // no machine begins it later than this
	Machines *MachineList `json:"machines,omitempty"` // the machines that it lets run something

	Upgrade        *AskUpgrade       `json:"upgrade,omitempty"`
	Restart        *AskRestart       `json:"restart,omitempty"`
	SyncTools      *AskSyncTools     `json:"sync_tools,omitempty"`
	SetEnv         map[string]string `json:"set_env,omitempty"`
	UnsetEnv       []string          `json:"unset_env,omitempty"`
	AddMachine     *AskAddMachine    `json:"add_machine,omitempty"`
	RemoveMachine  string            `json:"remove_machine,omitempty"`
	Deploy         *AskDeploy        `json:"deploy,omitempty"`
	AddUnit        *AskAddUnit       `json:"add_unit,omitempty"`
	RemoveUnit     string            `json:"remove_unit,omitempty"`
	RemoveService  string            `json:"remove_service,omitempty"`
	Trust          *AskTrust         `json:"trust,omitempty"`
	Approve        *AskApprove       `json:"approve,omitempty"`
	Resolved       string            `json:"resolved,omitempty"`        // id of a machine
	ApproveMachine string            `json:"approve_machine,omitempty"` // id of a machine
}

// AskUpgrade asks for a version, and names the very archives that are meant.
type AskUpgrade struct {
	To        version.Number `json:"to"`
	Client    version.Number `json:"client"` // a client may not set another major than its own
	Artefacts []tools.Tools  `json:"artefacts"`
	Reset     bool           `json:"reset,omitempty"`    // abort the upgrade in progress first
	Rollback  bool           `json:"rollback,omitempty"` // machines may go to an older version than they run
}

// AskRestart asks for agent restarts by tag (machine-1, unit-web-0); All for everyone.
type AskRestart struct {
	Tags []string `json:"tags,omitempty"`
	All  bool     `json:"all,omitempty"`
}

// AskSyncTools announces a copy of tools, and hands over what the source says of versions.
type AskSyncTools struct {
	Source   string           `json:"source"`
	Wanted   []version.Binary `json:"wanted"`
	SignedBy string           `json:"signed_by,omitempty"` // whose signature on the source's metadata the operator checked
	Unsigned bool             `json:"unsigned,omitempty"`  // there is none, and the operator said that this is well
	Signing  uint64           `json:"signing,omitempty"`   // counter of that metadata
	Marks    []tools.Marked   `json:"marks,omitempty"`     // that differ from what the environment knew
}

// AskAddMachine asks for places for machines, one for each token.
type AskAddMachine struct {
	TokenKeys []string `json:"token_keys"` // public nkeys; the seeds go to the hosts
	TTL       int64    `json:"ttl_s"`      // seconds until the tokens expire

	Labels  map[string]string `json:"labels,omitempty"`  // of each of the machines
	Approve bool              `json:"approve,omitempty"` // they wait for approval, whatever the policy says
}

// AskDeploy asks for a unit of a service, and says what the service is.
type AskDeploy struct {
	Service string            `json:"service"`
	Machine string            `json:"machine"`
	Command []string          `json:"command"`
	Env     map[string]string `json:"env,omitempty"`
	Restart string            `json:"restart"`
}

// AskAddUnit asks for one more unit of a service, as its units are: the client says what
// that is, so that nobody else does.
type AskAddUnit struct {
	Service string            `json:"service"`
	Machine string            `json:"machine"`
	Command []string          `json:"command"`
	Env     map[string]string `json:"env,omitempty"`
	Restart string            `json:"restart"`
}

// Signed is a statement and one operator's signature over its exact bytes.
type Signed struct {
	Statement []byte `json:"statement"` // an Ask as JSON, exactly as signed
	Key       string `json:"key"`       // public nkey of the signer
	Signature []byte `json:"signature"` // ed25519 over PAE(RequestType, Statement)
}

// RequestType separates the signature of a request from every other use of the key.
const RequestType = "jujube.request.v1"

// PAE is the pre-authentication encoding that is signed: type and payload with their
// lengths, so that no two pairs give the same bytes. Source: DSSE v1.0.
func PAE(kind string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(payload), payload)
}

// ParseSigned reads a signed request without trusting it: the caller checks the
// signature over PAE(SignedType(action), Statement) with Key before it believes the Ask.
// Unknown fields are refused: an operator never asks for something that a state
// server of this version would silently leave out.
func ParseSigned(b []byte) (Signed, Ask, error) {
	var s Signed
	var a Ask
	if len(b) > MaxRequestBytes {
		return s, a, fmt.Errorf("%w: request of %d bytes, limit %d", ErrInvalid, len(b), MaxRequestBytes)
	}
	if err := strict(b, &s); err != nil {
		return s, a, fmt.Errorf("%w: request: %w", ErrInvalid, err)
	}
	if err := strict(s.Statement, &a); err != nil {
		return s, a, fmt.Errorf("%w: request statement: %w", ErrInvalid, err)
	}
	if !IsID(a.ID) || a.Action == "" || a.Created.IsZero() || a.Expires.IsZero() {
		return s, a, fmt.Errorf("%w: request without id, action, creation or expiry", ErrInvalid)
	}
	return s, a, nil
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("bytes behind the end")
	}
	return nil
}
