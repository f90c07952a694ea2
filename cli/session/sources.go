package session

import "github.com/jujube-project/jujube/events"

// source says where a field of a request comes from. Nothing is what the state server says unseen: who
// has it would sign with every operator's key. What may stand in place of metadata is what was typed:
// sync-tools --source.
type source string

const (
	made     source = "made by this client"              // ids and times
	pinned   source = "known to this client from before" // noted when the environment was made or accepted
	typed    source = "typed"
	metadata source = "in signed metadata"        // that follows from the pinned root, or that of a tree of tools
	record   source = "in a verified record"      // of the log: the operator's signature was checked
	shown    source = "shown before it is signed" // a state server proposed it
)

// everyAsk are the fields of a request of any action, by their names in its JSON.
var everyAsk = map[string]source{"id": made, "environment": pinned, "action": typed, "created": made, "expires": made}

// letsRun are the fields of a request that lets machines run something.
var letsRun = map[string]source{"until": made, "machines": shown}

// sources says for each action where the fields come from that only it has. Whoever adds a
// field to events.Ask says it here first.
var sources = map[string]map[string]source{
	events.ActionUpgrade: {
		"upgrade.to": shown, "upgrade.client": made, "upgrade.artefacts": metadata, "upgrade.reset": typed, "upgrade.rollback": typed,
	},
	events.ActionRestart: {"restart.tags": typed, "restart.all": typed},
	events.ActionSyncTools: {
		"sync_tools.source": metadata, "sync_tools.wanted": shown, "sync_tools.signed_by": metadata, "sync_tools.unsigned": typed,
		"sync_tools.signing": metadata, "sync_tools.marks": metadata,
	},
	events.ActionSetEnv:   {"set_env": typed},
	events.ActionUnsetEnv: {"unset_env": typed},
	events.ActionAddMachine: {
		"add_machine.token_keys": made, "add_machine.ttl_s": typed, "add_machine.labels": typed, "add_machine.approve": typed,
	},
	events.ActionRemoveMachine: {"remove_machine": typed},
	events.ActionDeploy: {
		"deploy.service": typed, "deploy.machine": typed, "deploy.command": typed, "deploy.restart": typed, "deploy.user": typed,
		"deploy.env": typed, "deploy.secrets.names": typed, "deploy.secrets.box": typed, // env: only clients of before; box: for a key that was proved or typed
	},
	events.ActionAddUnit: {
		"add_unit.service": typed, "add_unit.machine": typed, "add_unit.command": record, "add_unit.restart": record, "add_unit.user": record,
		"add_unit.env": record, "add_unit.secrets.names": record, "add_unit.secrets.box": typed, // as of deploy; the names are those of the record
	},
	events.ActionRemoveUnit:     {"remove_unit": typed},
	events.ActionRemoveService:  {"remove_service": typed},
	events.ActionTrust:          {"trust.bundle": metadata},
	events.ActionApprove:        {"approve.request": typed, "approve.sha256": shown},
	events.ActionResolved:       {"resolved": typed},
	events.ActionApproveMachine: {"approve_machine": typed},
}
