package events

import (
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

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
	Rollback  bool           `json:"rollback,omitempty"` // machines may go to an older version than they run; only ever typed
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

// AskTrust asks the state server to publish a bundle that was staged in the object store.
type AskTrust struct {
	Bundle Object `json:"bundle"`
}

// AskApprove agrees to what somebody else asked.
type AskApprove struct {
	Request string `json:"request"` // its id
	SHA256  string `json:"sha256"`  // of its exact bytes, in hex
}
