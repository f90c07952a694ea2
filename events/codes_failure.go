package events

// Codes of failures: why a machine could not carry out an order. Failure.Cause says whose
// fault it was.
const (
	CodeExpired       = "expired"
	CodeWrongPlatform = "wrong-platform"
	CodeWithdrawn     = "withdrawn"
	CodeFailed        = "failed"
	CodeNoSpace       = "no-space"
	CodeVersionInUse  = "version-in-use"

	CodeArtefactLength = "artefact-length"
	CodeArtefactHash   = "artefact-hash"
	CodeArchive        = "archive"

	CodeNotExecutable   = "not-executable"
	CodeArchMismatch    = "arch-mismatch"
	CodeFormat          = "format"
	CodeSelfCheck       = "selfcheck"
	CodeVersionMismatch = "version-mismatch"
	CodeCannotConnect   = "cannot-connect"
	CodeBusAway         = "bus-away"
	CodeNotUndone       = "not-undone"

	CodeCannotStart = "cannot-start"
	CodeDamaged     = "damaged"
	CodeCrashed     = "crashed"
	CodeProtocol    = "protocol"
	CodeHung        = "hung"
	CodeUnhealthy   = "unhealthy"
	CodeInterrupted = "interrupted"
	CodeUnknown     = "unknown"
)

var failureCodes = []Code{
	{
		"wrong-version", "The order does not start from the version that runs.",
		"Nothing; the next order does. If it stays, `juju status` shows what the machine says it runs.",
	},
	{CodeWrongPlatform, "The tools are for another series or processor than the machine's.", "Ask for the upgrade again; it names the archives by platform."},
	{CodeExpired, "The order came too late to be begun.", "Look at the machine's clock, and whether it was away."},
	{"failed-before", "This very build failed here before.", "`juju resolved MACHINE` lets it be tried again."},
	{CodeWithdrawn, "The order was withdrawn before the switch; the old version never stopped.", "Nothing."},
	{CodeFailed, "The host could not do it: a read, a write or a process failed.", "The text says which; repair the host, then ask again."},
	{CodeNoSpace, "The disk has no room for the archive and what is in it.", "The text has both figures; make room, then ask again."},
	{
		CodeVersionInUse, "Another archive of that version is in use on the machine.",
		"Release managers never sign two archives of one version: give it a new number.",
	},

	{CodeArtefactLength, "The archive has another length than was signed.", "If it stays, `juju sync-tools --verify` reads the store."},
	{CodeArtefactHash, "The archive is not the one that was signed: its digest is another one.", "If it stays, `juju sync-tools --verify` reads the store."},
	{CodeArchive, "What is packed in the archive is hostile or damaged; nothing was unpacked.", "Look at who made the archive: it was signed."},

	{CodeNotExecutable, "The archive holds no program.", "The build is bad; choose another version."},
	{CodeArchMismatch, "The program is for another processor.", "The build is bad; choose another version."},
	{CodeFormat, "The program does not say how it was built.", "The build is bad; choose another version."},
	{
		CodeSelfCheck, "The new version's self-test failed, hung or answered nothing; nothing was switched.",
		"The failure has its last output; choose another version.",
	},
	{CodeVersionMismatch, "The program says that it is another version than the archive is called.", "The build is bad; choose another version."},
	{
		CodeCannotConnect, "The new version cannot connect to the bus while the old one is connected.",
		"The build is bad, or NATS does not take it; the failure has its words.",
	},
	{CodeBusAway, "Neither version reached the bus.", "Look at the network and the state server, then ask again."},
	{
		CodeNotUndone, "The newer version did not undo its upgrade steps, so the older one was not started.",
		"The failure has its output; repair it on the host, then ask again.",
	},

	{CodeCannotStart, "The program could not be started.", "The text says why; it is the build's fault or the host's, as the cause says."},
	{CodeDamaged, "The version on the disk is not what was verified.", "Look at the disk, then ask again."},
	{CodeCrashed, "The new version ended in its trial, or after it was kept.", "The failure has the last 50 lines of its output; choose another version."},
	{CodeProtocol, "The new version speaks another protocol than its launcher.", "The build is bad; choose another version."},
	{CodeHung, "The new version was not ready in time, fell silent, or did not end when told.", "The failure has its last output; choose another version."},
	{CodeUnhealthy, "The new version did not prove itself within the time of its trial.", "The failure has its last output; choose another version."},
	{CodeInterrupted, "The host stopped in each of the new version's starts; the version is not blamed.", "See that the host stays up, then ask again."},
	{CodeUnknown, "The launcher went back and left no reason.", "Look at the launcher's log on the machine."},
}
