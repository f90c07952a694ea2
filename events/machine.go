package events

import (
	"errors"
	"time"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/version"
)

// MachineInvited says that a machine of this id is expected. Whoever has the secret of the token
// may enrol as this machine, once, until the token expires.
type MachineInvited struct {
	Machine     string    `json:"machine"`
	TokenKey    string    `json:"token_key"` // public nkey of the token; its seed is never in the log
	Expires     time.Time `json:"expires"`
	StateServer bool      `json:"state_server,omitempty"`

	Labels  map[string]string `json:"labels,omitempty"`  // the machine has these once it is enrolled
	Approve bool              `json:"approve,omitempty"` // once enrolled it waits for approval, whatever the policy says
}

func (*MachineInvited) Kind() string     { return "machine.invited/1" }
func (e *MachineInvited) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the machine, the token and its expiry.
func (e *MachineInvited) Validate() error {
	if e.TokenKey == "" || e.Expires.IsZero() {
		return errors.New("no token or no expiry")
	}
	return errors.Join(needMachine(e.Machine), CheckLabels(e.Labels))
}

// MachineEnrolled says that a host has enrolled as this machine, with the key that the host made.
type MachineEnrolled struct {
	Machine     string         `json:"machine"`
	Key         string         `json:"key"` // public nkey of the host
	Hostname    string         `json:"hostname"`
	Version     version.Binary `json:"version"` // what it ran when it enrolled
	StateServer bool           `json:"state_server,omitempty"`

	Host    string            `json:"host,omitempty"`    // digest of what distinguishes the host, sha256 in hex; the host's own claim
	Labels  map[string]string `json:"labels,omitempty"`  // those of the invitation
	Pending string            `json:"pending,omitempty"` // why it waits for an operator's approval; empty: it does not wait

	Asked []byte `json:"asked,omitempty"` // what the host asked, signed by the token's key and its own: see wire.SealEnrolment
}

func (*MachineEnrolled) Kind() string     { return "machine.enrolled/1" }
func (e *MachineEnrolled) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the machine, its key and its version.
func (e *MachineEnrolled) Validate() error {
	if e.Key == "" || e.Version.IsZero() {
		return errors.New("no key or no version")
	}
	return errors.Join(
		needMachine(e.Machine), needText("hostname", e.Hostname, 253), needText("host", e.Host, 64), needText("pending", e.Pending, 1024), CheckLabels(e.Labels),
		needText("enrolment", string(e.Asked), limits.EnrolBytes),
	)
}

// MachineApproved says that an operator approved a machine: one that waited since it enrolled, or one
// in quarantine.
type MachineApproved struct {
	Machine string `json:"machine"`
}

func (*MachineApproved) Kind() string     { return "machine.approved/1" }
func (e *MachineApproved) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the machine.
func (e *MachineApproved) Validate() error { return needMachine(e.Machine) }

// MachineQuarantined shuts a machine out. Its credentials are revoked, and it gets new ones only
// after an operator has approved it.
type MachineQuarantined struct {
	Machine string `json:"machine"`
	Code    string `json:"code"` // CodeClone
	Text    string `json:"text"`
}

func (*MachineQuarantined) Kind() string     { return "machine.quarantined/1" }
func (e *MachineQuarantined) Entity() string { return entityMachine(e.Machine) }

// Validate asks for all fields.
func (e *MachineQuarantined) Validate() error {
	if e.Code == "" || e.Text == "" {
		return errors.New("no code or no text")
	}
	return errors.Join(needMachine(e.Machine), needText("code", e.Code, 64), needText("text", e.Text, 1024))
}

// MachineRenewed says that a machine was given new credentials.
type MachineRenewed struct {
	Machine    string `json:"machine"`
	Generation uint64 `json:"generation"` // of the new credentials
	Nonce      string `json:"nonce"`      // of the question; only a question with this nonce is answered with this generation again
}

func (*MachineRenewed) Kind() string     { return "machine.renewed/1" }
func (e *MachineRenewed) Entity() string { return entityMachine(e.Machine) }

// Validate asks for all fields.
func (e *MachineRenewed) Validate() error {
	if e.Generation == 0 {
		return errors.New("no generation")
	}
	return errors.Join(needMachine(e.Machine), needID("nonce", e.Nonce))
}

// TokenGuessed was an alarm: somebody tried several wrong tokens for an invited machine, and for a while
// nobody could enrol as that machine. State servers state it no more, since whoever sent wrong tokens shut
// out the host that was invited.
type TokenGuessed struct {
	Machine string    `json:"machine"`
	Tries   int       `json:"tries"`
	Until   time.Time `json:"until"` // nobody could enrol as that machine before
}

func (*TokenGuessed) Kind() string     { return "machine.token_guessed/1" }
func (e *TokenGuessed) Entity() string { return entityMachine(e.Machine) }

// Validate asks for all fields.
func (e *TokenGuessed) Validate() error {
	if e.Tries < 1 || e.Until.IsZero() {
		return errors.New("the number of tries, or the time until which nobody could enrol, is missing")
	}
	return needMachine(e.Machine)
}

// MachineRemoved removes a machine. Its key is not accepted any more.
type MachineRemoved struct {
	Machine string `json:"machine"`
}

func (*MachineRemoved) Kind() string     { return "machine.removed/1" }
func (e *MachineRemoved) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the machine.
func (e *MachineRemoved) Validate() error { return needMachine(e.Machine) }

// MachineResolved lets a machine try again the builds that failed on it. It lies on the subject of
// the machine's orders and is the newest record there: every order before it has ended or was
// withdrawn.
type MachineResolved struct {
	Machine string  `json:"machine"`
	Warrant Warrant `json:"warrant,omitzero"`
}

func (*MachineResolved) Kind() string     { return "machine.resolved/1" }
func (e *MachineResolved) Entity() string { return entityAgentOrder(e.Machine) }

// Validate asks for the machine.
func (e *MachineResolved) Validate() error {
	return errors.Join(needMachine(e.Machine), e.Warrant.validate())
}

// MachineLost says that nothing was heard of a machine for longer than the setting agent-lost-after.
type MachineLost struct {
	Machine   string    `json:"machine"`
	LastHeard time.Time `json:"last_heard,omitzero"` // zero: not since the state server started
}

func (*MachineLost) Kind() string     { return "machine.lost/1" }
func (e *MachineLost) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the machine.
func (e *MachineLost) Validate() error { return needMachine(e.Machine) }

// MachineReturned says that a lost machine is heard again.
type MachineReturned struct {
	Machine string `json:"machine"`
}

func (*MachineReturned) Kind() string     { return "machine.returned/1" }
func (e *MachineReturned) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the machine.
func (e *MachineReturned) Validate() error { return needMachine(e.Machine) }
