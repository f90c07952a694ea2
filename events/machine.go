package events

import (
	"errors"
	"time"

	"github.com/jujube-project/jujube/events/version"
)

// MachineInvited gives out a machine's place: whoever holds the secret of the one-time
// token may enrol as this machine, once, until it expires.
type MachineInvited struct {
	Machine     string    `json:"machine"`
	TokenKey    string    `json:"token_key"` // public nkey of the token; its seed never reaches the log
	Expires     time.Time `json:"expires"`
	StateServer bool      `json:"state_server,omitempty"`

	Labels  map[string]string `json:"labels,omitempty"`  // of the machine, once enrolled
	Approve bool              `json:"approve,omitempty"` // it then waits for approval, whatever the policy says
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

// MachineEnrolled binds a machine to the key that its host made.
type MachineEnrolled struct {
	Machine     string         `json:"machine"`
	Key         string         `json:"key"` // public nkey of the host
	Hostname    string         `json:"hostname"`
	Version     version.Binary `json:"version"` // what it ran when it enrolled
	StateServer bool           `json:"state_server,omitempty"`

	Host    string            `json:"host,omitempty"`    // digest of what tells this host from others, sha256 in hex; its own claim
	Labels  map[string]string `json:"labels,omitempty"`  // as invited
	Pending string            `json:"pending,omitempty"` // why it waits for an operator's approval; empty: it does not
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
	)
}

// MachineApproved ends the waiting of a machine that enrolled, and the quarantine of one
// that is back in good hands.
type MachineApproved struct {
	Machine string `json:"machine"`
}

func (*MachineApproved) Kind() string     { return "machine.approved/1" }
func (e *MachineApproved) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the machine.
func (e *MachineApproved) Validate() error { return needMachine(e.Machine) }

// MachineQuarantined shuts a machine out: its credentials are revoked, and it gets others
// only after approval.
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

// MachineRenewed says that a machine was given its next credentials.
type MachineRenewed struct {
	Machine    string `json:"machine"`
	Generation uint64 `json:"generation"` // of the new ones
	Nonce      string `json:"nonce"`      // under which it asked: only who asked so may be answered again
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

// TokenGuessed is an alarm: somebody tries to enrol as an invited machine with tokens that
// are not its own. For a while nobody can.
type TokenGuessed struct {
	Machine string    `json:"machine"`
	Tries   int       `json:"tries"`
	Until   time.Time `json:"until"` // nobody enrols as that machine before
}

func (*TokenGuessed) Kind() string     { return "machine.token_guessed/1" }
func (e *TokenGuessed) Entity() string { return entityMachine(e.Machine) }

// Validate asks for all fields.
func (e *TokenGuessed) Validate() error {
	if e.Tries < 1 || e.Until.IsZero() {
		return errors.New("no tries or no end")
	}
	return needMachine(e.Machine)
}

// MachineRemoved ends a machine: its key is no longer obeyed or served.
type MachineRemoved struct {
	Machine string `json:"machine"`
}

func (*MachineRemoved) Kind() string     { return "machine.removed/1" }
func (e *MachineRemoved) Entity() string { return entityMachine(e.Machine) }

// Validate asks for the machine.
func (e *MachineRemoved) Validate() error { return needMachine(e.Machine) }

// MachineResolved lets a machine try again the versions that failed there. It is the
// newest word on the machine's orders: whatever came before is withdrawn or has ended.
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

// MachineLost says that a machine was not heard for longer than policy allows.
type MachineLost struct {
	Machine   string    `json:"machine"`
	LastHeard time.Time `json:"last_heard,omitzero"` // zero: never since the state server started
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
