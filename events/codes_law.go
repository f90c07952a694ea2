package events

// Codes of package events/warrant: whether a request or an order is lawful. State servers and
// machines check the same, each for itself.
const (
	CodeOrderSignature   = "order-signature"
	CodeNotForMe         = "not-for-me"
	CodeOldList          = "old-list"
	CodeRequestSignature = "req-signature"
	CodeRequestOperator  = "req-operator"
	CodeRequestRevoked   = "req-revoked"
	CodeOtherEnvironment = "other-environment"
	CodeRequestScope     = "req-scope"
	CodeRequestQuorum    = "req-quorum"
	CodePendingApproval  = "pending-approval"
	CodeNotInRequest     = "not-in-request"
	CodeMachinesChanged  = "machines-changed"
	CodeRequestExpired   = "req-expired"
	CodeNotAsked         = "not-asked"
	CodeTargetUnknown    = "target-unknown"
	CodeDigestDisagree   = "digest-disagree"
	CodeFloor            = "floor"
)

var lawCodes = []Code{
	{
		CodeOrderSignature, "No state server on the roster signed this order or list of units.",
		"Somebody writes to the log who should not, or a state server has a new key that is not published: compare `juju trust status`, then find out who wrote " +
			"the record that `juju audit log` shows.",
	},
	{CodeNotForMe, "The order names another machine.", "Somebody put a record where it does not belong: find out who wrote the one that `juju audit log` shows."},
	{
		CodeOldList, "The list of units is older than the one that the machine follows.",
		"Somebody shows machines again what was signed before: look at NATS. After a state server went back to a version that does not number its lists: upgrade " +
			"it again.",
	},
	{
		CodeRequestSignature, "Nobody signed these bytes as a request; an approval is not a request.",
		"If you asked for something, ask again with a client of this version. Else somebody forges requests: look at the state server.",
	},
	{
		CodeRequestOperator, "The key is of no operator, not any more, or revoked.",
		"An admin adds it to the roster and publishes; or it was removed, and somebody still uses it.",
	},
	{CodeRequestRevoked, "The request was taken back by its id in the signed metadata.", "Nothing; ask anew if it was meant after all."},
	{CodeOtherEnvironment, "The request is of another environment.", "Choose the environment with `-e`."},
	{
		CodeRequestScope, "The operator's roles do not cover every machine that it touches; operate covers no state server.",
		"Ask somebody whose roles do, name fewer machines, or let an admin grant the role: `juju user grant NAME control-plane` for state servers.",
	},
	{
		CodeRequestQuorum, "Too few operators agree, the same one twice, or to other bytes.",
		"Another operator with the role `approve`: `juju approve ID`. A unit that was asked for before there was a quorum: ask for it again.",
	},
	{
		CodePendingApproval, "Not refused: an upgrade waits for operators who agree.",
		"`juju approve ID`, or drop it with `--reset-previous-upgrade`.",
	},
	{"not-pending", "Nothing of that id waits for approval.", "`juju status` shows what does."},
	{
		CodeNotInRequest, "The request was not signed for this machine with this key.",
		"If the machine was enrolled anew during an upgrade: ask for the upgrade again. Else a state server tried to widen a request.",
	},
	{
		CodeMachinesChanged, "Machines came or went, or a service changed, while the client signed.",
		"The client tries three times by itself; then ask again.",
	},
	{
		CodeRequestExpired, "Not judged within ten minutes, or not begun within seven days; or a clock is wrong.",
		"Look at the clocks, ask again.",
	},
	{
		CodeNotAsked, "The request asks for something else than the order or the unit.",
		"A state server tried to run what nobody asked for: treat it as taken over.",
	},
	{
		CodeTargetUnknown, "Release managers signed no such archive; state servers and machines look at that list.",
		"`juju sync-tools` brings and signs it; else choose another version.",
	},
	{
		CodeDigestDisagree, "The archive is not the one that was asked for, or that was signed.",
		"Ask again; if it stays, compare the source of tools with what was signed.",
	},
	{
		CodeFloor, "The version is older than what runs and no rollback was asked, or older than any may be.",
		"To go back, name the version and say so: `juju upgrade-juju --version VERSION --rollback`; the floor is raised and lowered by release managers only.",
	},
	{"already-done", "The request was done on this machine before.", "Nothing; ask anew to have it again."},
	{
		"too-late", "The order was withdrawn after its switch had begun; it goes on to its end.",
		"Wait for its end; then go back with another upgrade.",
	},
}
