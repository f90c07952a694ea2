package events

import (
	"maps"
	"slices"
)

// kinds is every kind of fact that this build can write and read: its wire name and its Go type,
// one line each. docs/EVENTS.md is generated from this table.
var kinds = map[string]func() Payload{
	"environment.created/1": func() Payload { return &EnvironmentCreated{} },
	"setting.changed/1":     func() Payload { return &SettingChanged{} },
	"snapshot.taken/1":      func() Payload { return &SnapshotTaken{} },
	"request.received/1":    func() Payload { return &RequestReceived{} },
	"request.refused/1":     func() Payload { return &RequestRefused{} },
	"request.pending/1":     func() Payload { return &RequestPending{} },
	"request.approved/1":    func() Payload { return &RequestApproved{} },

	"trust.published/1": func() Payload { return &TrustPublished{} },
	"trust.signed/1":    func() Payload { return &TrustSigned{} },

	"machine.invited/1":       func() Payload { return &MachineInvited{} },
	"machine.enrolled/1":      func() Payload { return &MachineEnrolled{} },
	"machine.approved/1":      func() Payload { return &MachineApproved{} },
	"machine.token_guessed/1": func() Payload { return &TokenGuessed{} },
	"machine.quarantined/1":   func() Payload { return &MachineQuarantined{} },
	"machine.renewed/1":       func() Payload { return &MachineRenewed{} },
	"machine.removed/1":       func() Payload { return &MachineRemoved{} },
	"machine.lost/1":          func() Payload { return &MachineLost{} },
	"machine.returned/1":      func() Payload { return &MachineReturned{} },
	"machine.resolved/1":      func() Payload { return &MachineResolved{} },

	"unit.added/1":         func() Payload { return &UnitAdded{} },
	"unit.removed/1":       func() Payload { return &UnitRemoved{} },
	"unit.state_changed/1": func() Payload { return &UnitStateChanged{} },
	"units.assigned/1":     func() Payload { return &UnitsAssigned{} },

	"tools.sync_requested/1":  func() Payload { return &ToolsSyncRequested{} },
	"tools.stored/1":          func() Payload { return &ToolsStored{} },
	"tools.missed/1":          func() Payload { return &ToolsMissed{} },
	"tools.marked/1":          func() Payload { return &ToolsMarked{} },
	"tools.source_lost/1":     func() Payload { return &SourceLost{} },
	"tools.source_returned/1": func() Payload { return &SourceReturned{} },

	"upgrade.requested/1": func() Payload { return &UpgradeRequested{} },
	"upgrade.accepted/1":  func() Payload { return &UpgradeAccepted{} },
	"upgrade.pending/1":   func() Payload { return &UpgradePending{} },
	"upgrade.approved/1":  func() Payload { return &UpgradeApproved{} },
	"upgrade.refused/1":   func() Payload { return &UpgradeRefused{} },
	"upgrade.halted/1":    func() Payload { return &UpgradeHalted{} },
	"upgrade.aborted/1":   func() Payload { return &UpgradeAborted{} },
	"upgrade.completed/1": func() Payload { return &UpgradeCompleted{} },

	"order.issued/1":     func() Payload { return &OrderIssued{} },
	"order.refused/1":    func() Payload { return &OrderRefused{} },
	"order.superseded/1": func() Payload { return &OrderSuperseded{} },
	"order.timed_out/1":  func() Payload { return &OrderTimedOut{} },

	"agent.started/1":        func() Payload { return &AgentStarted{} },
	"agent.downloading/1":    func() Payload { return &AgentDownloading{} },
	"agent.staged/1":         func() Payload { return &AgentStaged{} },
	"agent.restarting/1":     func() Payload { return &AgentRestarting{} },
	"agent.stepping/1":       func() Payload { return &AgentStepping{} },
	"trust.refused/1":        func() Payload { return &TrustRefused{} },
	"trust.stale/1":          func() Payload { return &TrustStale{} },
	"agent.upgraded/1":       func() Payload { return &AgentUpgraded{} },
	"agent.upgrade_failed/1": func() Payload { return &AgentUpgradeFailed{} },
	"agent.rolled_back/1":    func() Payload { return &AgentRolledBack{} },

	"restart.requested/1": func() Payload { return &RestartRequested{} },
	"restart.ordered/1":   func() Payload { return &RestartOrdered{} },
	"restart.done/1":      func() Payload { return &RestartDone{} },

	"report.late/1": func() Payload { return &ReportLate{} },
}

// Kinds are the wire names of every kind that this build knows, in order.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }
