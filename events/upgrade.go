package events

import (
	"errors"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/version"
)

// UpgradeRequested records that an operator asked for an upgrade. The decision follows it.
type UpgradeRequested struct {
	Request   Request        `json:"request"`
	Upgrade   string         `json:"upgrade"` // id of the upgrade: the request's id
	To        version.Number `json:"to"`
	Artefacts []tools.Tools  `json:"artefacts"` // the archives that the operator signed, one for each series and architecture in use
	Reset     bool           `json:"reset,omitempty"`
}

// Asked gives the request.
func (e *UpgradeRequested) Asked() Request { return e.Request }

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

// UpgradeAccepted starts an upgrade. Its machines are fixed here: machines that join later are not
// part of the upgrade.
type UpgradeAccepted struct {
	Upgrade  string         `json:"upgrade"`
	From     version.Number `json:"from"`
	To       version.Number `json:"to"`
	Machines []string       `json:"machines"` // ids, in the order in which they are upgraded
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

// UpgradeRefused refuses an upgrade, with every reason at once. Nothing was changed.
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

// UpgradeHalted stops an upgrade. No further machine is ordered until an operator decides.
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

// UpgradeAborted ends an upgrade because an operator asked so (--reset-previous-upgrade). Machines
// that were upgraded already stay as they are.
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

// UpgradeCompleted says that every machine of the upgrade was healthy on the new version for the
// whole health window. From this record on the environment's agent version is the new one.
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

// UpgradePending says that nothing forbids an upgrade, and that it waits for more operators to agree.
type UpgradePending struct {
	Upgrade string `json:"upgrade"`
	Needed  int    `json:"needed"` // number of operators who must agree; the one who asked is one of them
	SHA256  string `json:"sha256"` // of the request's bytes; approvals name it

	Until time.Time `json:"until,omitzero"` // it does not wait longer; none: a state server of before wrote it
}

func (*UpgradePending) Kind() string { return "upgrade.pending/1" }

func (e *UpgradePending) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate asks for the upgrade and for more than one operator.
func (e *UpgradePending) Validate() error {
	if e.Needed < 2 || len(e.SHA256) != 64 {
		return errors.New("it needs less than two operators, or the digest of its request is missing")
	}
	return needID("upgrade", e.Upgrade)
}

// UpgradeApproved records that one more operator agrees.
type UpgradeApproved struct {
	Request Request `json:"request"` // the approval
	Upgrade string  `json:"upgrade"`
}

// Asked gives the request.
func (e *UpgradeApproved) Asked() Request { return e.Request }

func (*UpgradeApproved) Kind() string { return "upgrade.approved/1" }

func (e *UpgradeApproved) Entity() string { return entityUpgrade(e.Upgrade) }

// Validate checks the approval and the upgrade.
func (e *UpgradeApproved) Validate() error {
	return errors.Join(e.Request.Validate(), needID("upgrade", e.Upgrade))
}
