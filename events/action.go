package events

// Actions an operator can ask for. Each has its row in Actions.
const (
	ActionUpgrade        = "upgrade"
	ActionRestart        = "restart-agent"
	ActionSyncTools      = "sync-tools"
	ActionSetEnv         = "set-env"
	ActionUnsetEnv       = "unset-env"
	ActionAddMachine     = "add-machine"
	ActionRemoveMachine  = "remove-machine"
	ActionDeploy         = "deploy"
	ActionAddUnit        = "add-unit"
	ActionRemoveUnit     = "remove-unit"
	ActionRemoveService  = "remove-service"
	ActionResolved       = "resolved"
	ActionApproveMachine = "approve-machine"
	ActionTrust          = "trust"
	ActionApprove        = "approve-upgrade"
)

// Action is what client, state server and machine must know alike of an action.
type Action struct {
	// Role is what an operator needs over every machine that the request is about.
	Role string
	// LetsRun says that the action lets machines run something. Such a request names its
	// machines (Ask.Machines) and the time until which they may begin (Ask.Until), and
	// each machine checks both for itself.
	LetsRun bool
	// Agree says who must agree beside the operator who asks.
	Agree Agree
}

// Agree is which of the roster's quorums hold for an action.
type Agree int

const (
	// OneAgrees: who asks is enough. The row says why nothing new runs by it.
	OneAgrees Agree = iota + 1
	// MachinesAgree: the largest quorum of one of its machines.
	MachinesAgree
	// BeliefAgrees: the largest quorum of all, where settings change what is believed (see
	// events/settings, Belief); else who asks is enough. Settings are every machine's.
	BeliefAgrees
)

// Actions is the one table of actions. Nobody changes it.
var Actions = map[string]Action{
	ActionUpgrade:        {RoleOperate, true, MachinesAgree},
	ActionRestart:        {RoleOperate, true, OneAgrees}, // the same version, which was agreed to; another one comes by an upgrade only
	ActionResolved:       {RoleOperate, true, MachinesAgree},
	ActionDeploy:         {RoleOperate, true, MachinesAgree},
	ActionAddUnit:        {RoleOperate, true, MachinesAgree},
	ActionRemoveUnit:     {RoleOperate, false, OneAgrees}, // it ends something
	ActionRemoveService:  {RoleOperate, false, OneAgrees}, // likewise
	ActionApprove:        {RoleApprove, false, OneAgrees}, // it is how the others agree
	ActionSyncTools:      {RoleRelease, false, OneAgrees}, // tools run once release managers have signed them, and an upgrade is asked for
	ActionTrust:          {RoleRelease, false, OneAgrees}, // release managers sign it, as many as the root asks for
	ActionSetEnv:         {RoleAdmin, false, BeliefAgrees},
	ActionUnsetEnv:       {RoleAdmin, false, BeliefAgrees},
	ActionAddMachine:     {RoleAdmin, false, OneAgrees}, // what the new machine runs is asked for like everything else
	ActionRemoveMachine:  {RoleAdmin, false, OneAgrees}, // it ends something
	ActionApproveMachine: {RoleAdmin, false, OneAgrees}, // as add-machine
}

// ActionOf gives the row of an action. One that is not in the table, because a newer client
// asks for it, needs the highest role, and the quorums of its machines.
func ActionOf(name string) Action {
	if a, ok := Actions[name]; ok {
		return a
	}
	return Action{Role: RoleAdmin, Agree: MachinesAgree}
}
