package events

import (
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// Ask is the statement inside a signed request: what an operator's client writes, signs and
// publishes. Of the parts below Machines, only the one that belongs to Action is set.
type Ask struct {
	ID          string    `json:"id"`          // UUIDv7; it is also the last token of the subject
	Environment string    `json:"environment"` // UUID: a request cannot be carried to another one
	Action      string    `json:"action"`
	Created     time.Time `json:"created"`
	Expires     time.Time `json:"expires"` // a state server does not judge it later than this

	Until    time.Time    `json:"until,omitzero"`     // no machine begins it later than this; see Action.LetsRun
	Machines *MachineList `json:"machines,omitempty"` // the machines that it lets run something; see Action.LetsRun

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

// LastStart is the moment after which no machine begins what is asked: Until, but never later than
// MaxRequestLife after the request was made, whatever its author wrote.
func (a Ask) LastStart() time.Time {
	if limit := a.Created.Add(MaxRequestLife); a.Until.After(limit) {
		return limit
	}
	return a.Until
}

// AskUpgrade asks for a version, and names the archives of that version by their digests.
type AskUpgrade struct {
	To        version.Number `json:"to"`
	Client    version.Number `json:"client"` // a client may not set another major than its own
	Artefacts []tools.Tools  `json:"artefacts"`
	Reset     bool           `json:"reset,omitempty"`    // abort the upgrade in progress first
	Rollback  bool           `json:"rollback,omitempty"` // machines may go to an older version than they run; only ever typed
}

// AskRestart asks agents to restart: those with the given tags (machine-1, unit-web-0), or All.
type AskRestart struct {
	Tags []string `json:"tags,omitempty"`
	All  bool     `json:"all,omitempty"`
}

// AskSyncTools announces that tools are copied into the store, and hands over what the source says
// of versions.
type AskSyncTools struct {
	Source   string           `json:"source"`
	Wanted   []version.Binary `json:"wanted"`
	SignedBy string           `json:"signed_by,omitempty"` // whose signature on the source's metadata the operator checked
	Unsigned bool             `json:"unsigned,omitempty"`  // there is no signature, and the operator allowed that
	Signing  uint64           `json:"signing,omitempty"`   // counter of that metadata
	Marks    []tools.Marked   `json:"marks,omitempty"`     // those that differ from what the environment knew
}

// AskAddMachine invites machines, one for each token.
type AskAddMachine struct {
	TokenKeys []string `json:"token_keys"` // public nkeys; the seeds go to the hosts
	TTL       int64    `json:"ttl_s"`      // seconds until the tokens expire

	Labels  map[string]string `json:"labels,omitempty"`  // of each of the machines
	Approve bool              `json:"approve,omitempty"` // the machines wait for approval, whatever the policy says
}

// AskDeploy asks for the first unit of a service, and says what the service runs. A machine that
// does not know all of its fields refuses it: see ParseSigned.
type AskDeploy struct {
	Service string            `json:"service"`
	Machine string            `json:"machine"`
	Command []string          `json:"command"`
	Env     map[string]string `json:"env,omitempty"` // in clear, for ever; only clients of before wrote it
	Restart string            `json:"restart"`
	User    string            `json:"user,omitempty"`    // whom it runs as: UserOwn, or a user of the machine; empty: root, by a client of before
	Secrets *Secrets          `json:"secrets,omitempty"` // the environment
}

// AskAddUnit asks for one more unit of a service. The client repeats what the service runs, so
// that the operator signs it and nobody else can choose it. The values of the environment are
// typed again: only the machine of the first unit can read them there.
type AskAddUnit AskDeploy

// UnitAsked is the unit that a request asks for; nil: it asks for none.
func (a *Ask) UnitAsked() *AskDeploy {
	switch {
	case a.Action == ActionDeploy:
		return a.Deploy
	case a.Action == ActionAddUnit:
		return (*AskDeploy)(a.AddUnit)
	}
	return nil
}

// Spec is what a machine is told to run for it.
func (a AskDeploy) Spec() UnitSpec {
	u := UnitSpec{Machine: a.Machine, Command: a.Command, Env: a.Env, Restart: a.Restart, User: a.User, Secrets: a.Secrets}
	if u.Restart == "" {
		u.Restart = RestartAlways
	}
	return u
}

// AskTrust asks the state server to publish a bundle that was staged in the object store.
type AskTrust struct {
	Bundle Object `json:"bundle"`
}

// AskApprove agrees to the request of another operator.
type AskApprove struct {
	Request string `json:"request"` // its id
	SHA256  string `json:"sha256"`  // of its exact bytes, in hex
}
