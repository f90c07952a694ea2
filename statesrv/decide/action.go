package decide

import "github.com/jujube-project/jujube/events"

// judges decide on requests, by action: of an operator who may ask that of the machines that
// it is about. Those are in package targets; which role it takes, and whether it lets a
// machine run something, machines must know as well, so that is in package events.
var judges = map[string]func(*inquiry) verdict{
	events.ActionUpgrade:        judgeUpgrade,
	events.ActionApprove:        judgeApprove,
	events.ActionRestart:        judgeRestart,
	events.ActionResolved:       judgeResolved,
	events.ActionAddMachine:     judgeAddMachine,
	events.ActionApproveMachine: judgeApproveMachine,
	events.ActionRemoveMachine:  judgeRemoveMachine,
	events.ActionDeploy:         judgeDeploy,
	events.ActionAddUnit:        judgeAddUnit,
	events.ActionRemoveUnit:     judgeRemoveUnit,
	events.ActionRemoveService:  judgeRemoveService,
	events.ActionSyncTools:      judgeSyncTools,
	events.ActionSetEnv:         judgeSetEnv,
	events.ActionUnsetEnv:       judgeUnsetEnv,
	events.ActionTrust:          judgeTrust,
}
