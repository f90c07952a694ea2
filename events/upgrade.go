package events

import (
	"errors"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// UpgradeRequested records what an operator asked, before it is judged.
type UpgradeRequested struct {
	Request   Request        `json:"request"`
	Upgrade   string         `json:"upgrade"` // id of the upgrade: the request's id
	To        version.Number `json:"to"`
	Artefacts []tools.Tools  `json:"artefacts"` // the exact archives that the operator saw, one for each series and arch in use
	Reset     bool           `json:"reset,omitempty"`
}

func (*UpgradeRequested) Kind() string     { return "upgrade.requested/1" }
func (e *UpgradeRequested) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate checks the request, the target and the archives' form.
func (e *UpgradeRequested) Validate() error {
	if e.To.IsZero() {
		return errors.New("no target version")
	}
	for _, t := range e.Artefacts {
		if err := t.Validate(); err != nil {
			return err
		}
	}
	return errors.Join(e.Request.Validate(), needID("upgrade", e.Upgrade))
}

// UpgradeAccepted starts an upgrade. It fixes what it is about: machines that join
// later are not part of it.
type UpgradeAccepted struct {
	Upgrade  string         `json:"upgrade"`
	From     version.Number `json:"from"`
	To       version.Number `json:"to"`
	Machines []string       `json:"machines"` // ids, in the order of Plan
}

func (*UpgradeAccepted) Kind() string     { return "upgrade.accepted/1" }
func (e *UpgradeAccepted) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate asks for both versions.
func (e *UpgradeAccepted) Validate() error {
	if e.From.IsZero() || e.To.IsZero() {
		return errors.New("no version to come from or to go to")
	}
	for _, m := range e.Machines {
		if err := needMachine(m); err != nil {
			return err
		}
	}
	return needID("upgrade", e.Upgrade)
}

// UpgradeRefused names every reason at once. Nothing was changed.
type UpgradeRefused struct {
	Upgrade string   `json:"upgrade"`
	Reasons []Reason `json:"reasons"`
}

func (*UpgradeRefused) Kind() string     { return "upgrade.refused/1" }
func (e *UpgradeRefused) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate asks for at least one reason.
func (e *UpgradeRefused) Validate() error {
	return errors.Join(needID("upgrade", e.Upgrade), needReasons(e.Reasons))
}

// UpgradeHalted stops an upgrade at real trouble: no further machine is ordered until
// an operator decides.
type UpgradeHalted struct {
	Upgrade string   `json:"upgrade"`
	Reasons []Reason `json:"reasons"`
}

func (*UpgradeHalted) Kind() string     { return "upgrade.halted/1" }
func (e *UpgradeHalted) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate asks for at least one reason.
func (e *UpgradeHalted) Validate() error {
	return errors.Join(needID("upgrade", e.Upgrade), needReasons(e.Reasons))
}

// UpgradeAborted ends an upgrade at an operator's word (--reset-previous-upgrade).
// What was upgraded stays as it is.
type UpgradeAborted struct {
	Upgrade string `json:"upgrade"`
	Request string `json:"request"` // id of the request that ended it
}

func (*UpgradeAborted) Kind() string     { return "upgrade.aborted/1" }
func (e *UpgradeAborted) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate asks for both ids.
func (e *UpgradeAborted) Validate() error {
	return errors.Join(needID("upgrade", e.Upgrade), needID("request", e.Request))
}

// UpgradeCompleted says that every machine of the upgrade proved itself healthy on the
// new version. The environment's agent version is the new one from here on.
type UpgradeCompleted struct {
	Upgrade string         `json:"upgrade"`
	Version version.Number `json:"version"`
}

func (*UpgradeCompleted) Kind() string     { return "upgrade.completed/1" }
func (e *UpgradeCompleted) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate asks for the id and the version.
func (e *UpgradeCompleted) Validate() error {
	if e.Version.IsZero() {
		return errors.New("no version")
	}
	return needID("upgrade", e.Upgrade)
}

// UpgradePending says that an upgrade could begin, and waits for operators who agree.
type UpgradePending struct {
	Upgrade string `json:"upgrade"`
	Needed  int    `json:"needed"` // operators, who asked for it included
	SHA256  string `json:"sha256"` // of the request's bytes: what is agreed to
}

func (*UpgradePending) Kind() string { return "upgrade.pending/1" }

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

func (*UpgradeApproved) Kind() string { return "upgrade.approved/1" }

func (e *UpgradeApproved) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate checks the approval and the upgrade.
func (e *UpgradeApproved) Validate() error {
	return errors.Join(e.Request.Validate(), needID("upgrade", e.Upgrade))
}
