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
}

// Actions is the one table of actions. Nobody changes it.
var Actions = map[string]Action{
	ActionUpgrade:        {RoleOperate, true},
	ActionRestart:        {RoleOperate, true},
	ActionResolved:       {RoleOperate, true},
	ActionDeploy:         {RoleOperate, true},
	ActionAddUnit:        {RoleOperate, true},
	ActionRemoveUnit:     {RoleOperate, false},
	ActionRemoveService:  {RoleOperate, false},
	ActionApprove:        {RoleApprove, false},
	ActionSyncTools:      {RoleRelease, false},
	ActionTrust:          {RoleRelease, false},
	ActionSetEnv:         {RoleAdmin, false},
	ActionUnsetEnv:       {RoleAdmin, false},
	ActionAddMachine:     {RoleAdmin, false},
	ActionRemoveMachine:  {RoleAdmin, false},
	ActionApproveMachine: {RoleAdmin, false},
}

// ActionOf gives the row of an action. One that is not in the table, because a newer client
// asks for it, needs the highest role.
func ActionOf(name string) Action {
	if a, ok := Actions[name]; ok {
		return a
	}
	return Action{Role: RoleAdmin}
}
