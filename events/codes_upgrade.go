package events

import "github.com/jujube-project/jujube/events/version"

// Codes of upgrades that more than one package uses. Those of a choice of versions are
// package version's.
const (
	CodeNothingToDo = "nothing-to-do"
	CodeTimedOut    = "timed-out"

	CodeMachineFailed     = "machine-failed"
	CodeMachineRolledBack = "machine-rolled-back"
	CodeMachineTimedOut   = "machine-timed-out"
	CodeMachineBlocked    = "machine-blocked"
	CodeToolsMissed       = "tools-missed"
)

var upgradeCodes = []Code{
	{
		"conflict", "Another upgrade is in progress, or waits.",
		"Wait for it, or `--reset-previous-upgrade`.",
	},
	{
		"agent-mismatch", "Some agents run neither the environment's version nor the one that is asked for.",
		"Bring them to the environment's version first: `juju upgrade-juju --version VERSION`.",
	},
	{CodeNothingToDo, "Every agent runs the version already.", "Nothing."},
	{"no-machines", "No machine is enrolled.", "`juju add-machine`, and enrol one."},
	{
		version.CodeNoTools, "Machines would be left without tools of that version, or their archive cannot be fetched.",
		"`juju sync-tools` for that version; `juju status` names the machines.",
	},
	{
		version.CodeClientOlder, "The client is of another major version than the one it asks for, or of a lower one than the environment's.",
		"Use a client of that major version.",
	},
	{version.CodeLowerMajor, "The version asked for is of a lower major version.", "Choose another one: an upgrade never goes back so far."},
	{
		version.CodeLowerMinor, "The version asked for is of a lower minor version; only the patch may be lower.",
		"Choose another one: an upgrade never goes back so far.",
	},
	{version.CodeOtherMajor, "The version leads to a major version that needs a client of that major version.", "Use a client of that major version."},
	{
		version.CodeNotPublished, "The version asked for, or needed, is not published.",
		"`juju upgrade-path` shows which versions are; `juju sync-tools` brings others.",
	},
	{
		version.CodeRevoked, "The version is revoked by its publisher, or the archive was signed and taken back.",
		"Choose another version; an upgrade that is on its way there halts.",
	},
	{
		version.CodeBehindFloor, "A version that must be passed through comes before, or may not be installed.",
		"Upgrade to that version first; the refusal names it.",
	},
	{version.CodeDeadEnd, "Nothing newer can be reached from the current version by an upgrade.", "Ask its publisher which way leads on."},
	{version.CodePolicy, "There is no such policy.", "`step`, `newest` or `patch`."},
	{version.CodeUnreachable, "The policy's hops end before the version asked for.", "`juju upgrade-path --to VERSION` shows where, and why."},

	{
		CodeMachineFailed, "The upgrade halted: a machine refused its order, or failed before the switch. Its old version runs.",
		"The text says why; `juju resolved MACHINE`, or abort the upgrade with `--reset-previous-upgrade`.",
	},
	{
		CodeMachineRolledBack, "The upgrade halted: a machine tried the new version and went back.",
		"`juju audit log` has the last lines of its output; `juju resolved MACHINE`, or abort the upgrade with `--reset-previous-upgrade`.",
	},
	{CodeMachineTimedOut, "The upgrade halted: a machine did not end its order in time.", "Look whether its agent runs and reaches the state server."},
	{CodeTimedOut, "The machine did not end the order in time.", "Look whether its agent runs and reaches the state server."},
	{
		CodeMachineBlocked, "A machine cannot be ordered to upgrade now; the text says what it waits for.",
		"`juju status` shows it; the upgrade goes on when the cause has gone.",
	},
	{CodeToolsMissed, "Not refused: an archive cannot be fetched from its source, and is tried again.", "`juju sync-tools` hands it over from a client."},
}
