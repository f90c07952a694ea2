package projections

import "github.com/jujube-project/jujube/events"

// causes says for each kind of record what must have led to it, and who signs that. Once a log is proven
// (see State.Root), a State applies a record only if its cause holds. There are five causes:
//
//   - asks: the record holds a request that an operator signed, and says what the request says;
//   - asked: it lies right behind such a record, names it as its cause, and says what the request says; behind
//     an approval, what the request says that was agreed to;
//   - told: a machine signed it;
//   - shown: documents that release managers signed prove it;
//   - said: it is the state server's own word, which a state server on the roster signed for just this
//     position in the log.
//
// An asks and a shown are signed by the state server as well, since where they lie is its word. A rule
// gets what is checked already, and says what else must agree. A kind that is missing here is a fault of
// this build: TestEveryKindHasACause.
var causes = map[string]cause{
	"environment.created/1": opens(),
	"setting.changed/1":     asked(settingAsked),
	"snapshot.taken/1":      said[*events.SnapshotTaken](nil),

	"request.received/1":     asks[*events.RequestReceived](nil),
	"request.refused/1":      said[*events.RequestRefused](nil),
	"request.pending/1":      asks[*events.RequestPending](nil),
	"request.approved/1":     asks(requestApproved),
	"restart.requested/1":    asks(restartRequested),
	"tools.sync_requested/1": asks(syncRequested),
	"upgrade.requested/1":    asks(upgradeRequested),
	"upgrade.approved/1":     asks(upgradeApproved),

	"trust.signed/1":    shown(nextPart),
	"trust.published/1": shown(publication),

	"machine.invited/1":       asked(machineInvited),
	"machine.enrolled/1":      enrols(),
	"machine.approved/1":      asked(machineApproved),
	"machine.removed/1":       asked(machineRemoved),
	"machine.resolved/1":      asked(machineResolved),
	"machine.token_guessed/1": said[*events.TokenGuessed](nil),
	"machine.quarantined/1":   said[*events.MachineQuarantined](nil),
	"machine.renewed/1":       said[*events.MachineRenewed](nil),
	"machine.lost/1":          said[*events.MachineLost](nil),
	"machine.returned/1":      said[*events.MachineReturned](nil),

	"unit.added/1":     asked(unitAdded),
	"unit.removed/1":   asked(unitRemoved),
	"units.assigned/1": said[*events.UnitsAssigned](nil),

	"tools.stored/1":          said(toolsStored),
	"tools.missed/1":          said[*events.ToolsMissed](nil),
	"tools.marked/1":          said(toolsMarked),
	"tools.source_lost/1":     said[*events.SourceLost](nil),
	"tools.source_returned/1": said[*events.SourceReturned](nil),

	"upgrade.accepted/1":  asked(upgradeAccepted),
	"upgrade.pending/1":   asked(upgradePending),
	"upgrade.aborted/1":   asked(upgradeAborted),
	"upgrade.refused/1":   said[*events.UpgradeRefused](nil),
	"upgrade.halted/1":    said[*events.UpgradeHalted](nil),
	"upgrade.completed/1": said(upgradeCompleted),

	"order.issued/1":     said(orderIssued),
	"order.superseded/1": said[*events.OrderSuperseded](nil),
	"order.timed_out/1":  said[*events.OrderTimedOut](nil),
	"restart.ordered/1":  asked(restartOrdered),

	"agent.started/1":        told(),
	"agent.downloading/1":    told(),
	"agent.staged/1":         told(),
	"agent.restarting/1":     told(),
	"agent.stepping/1":       told(),
	"agent.upgraded/1":       told(),
	"agent.upgrade_failed/1": told(),
	"agent.rolled_back/1":    told(),
	"order.refused/1":        told(),
	"restart.done/1":         told(),
	"trust.refused/1":        told(),
	"trust.stale/1":          told(),
	"unit.state_changed/1":   told(),
	"report.late/1":          told(),
}
