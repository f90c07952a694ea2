package events

import "github.com/jujube-project/jujube/events/tree"

// Codes of what is wrong with the log itself.
const (
	CodeLogGap      = "log-gap"
	CodeLogTamper   = "log-tamper"
	CodeEventAuthor = "event-author"
	CodeDiskFull    = "disk-full"

	CodeNoCause      = "no-cause"
	CodeCauseDiffers = "cause-differs"
	CodeReportTwice  = "report-twice"
)

var logCodes = []Code{
	{
		tree.CodeProof, "Nothing proves that the request lies in the log, or that the log goes on from what was seen before.",
		"If it stays after a restart of the state server, treat it as taken over.",
	},
	{
		tree.CodeFork, "The log is not the one that was seen before: it lost or changed its past, or some are shown another one.",
		"Keep both checkpoints, which are given, as evidence; `juju audit verify` tells what differs. Restored from a backup: see docs/FAILURES.md.",
	},
	{
		"status-old", "The status that a state server shows is older than the log that it has signed.",
		"Restart the state server; if it stays, treat it as taken over. `juju status --from-log` needs none.",
	},
	{
		CodeLogGap, "Records are missing that were signed for, or within the log.",
		"Restore a backup that holds everything that was signed; the state server says how the loss is accepted else.",
	},
	{CodeLogTamper, "A record is not the one that was written there.", "Restore a backup; find out who can write to the state server's disk."},
	{
		CodeNoCause, "A record of the log follows from nothing that somebody signed: no request of an operator who may ask for it, no signed metadata. " +
			"It is kept, and changes nothing.",
		"Somebody has written into the log beside the state server: find out who has credentials of NATS or the state server's disk. " +
			"`juju audit verify` names the records.",
	},
	{
		CodeCauseDiffers, "A record of the log says something else than the request, or the signed metadata, that it follows from. It is kept, and changes nothing.",
		"As `no-cause`.",
	},
	{
		CodeEventAuthor, "A record is not signed with the key of the machine that it speaks of, or of a state server for just this place in the log.",
		"A machine lies about another, or its key was replaced beside the enrolment: `juju audit verify` names the records.",
	},
	{
		CodeDiskFull, "The state server writes nothing, because its disk is full; it answers questions.",
		"Make room on that disk. Then it goes on by itself, with every request and report that waits.",
	},
	{"gap", "`juju audit verify`: a sequence is missing, or came twice.", "As `log-gap`."},
	{"first-record", "`juju audit verify`: the log does not begin with `environment.created`, or another one follows.", "As `log-tamper`."},
	{
		"invalid", "`juju audit verify`: bytes that are no record, or a payload that breaks its kind's rules.",
		"Nothing, if a newer version wrote it; else as `log-tamper`.",
	},
	{"order", "`juju audit verify`: an order was opened twice, or beside another one.", "Report it: a state server never does that."},
	{"terminal", "`juju audit verify`: an order ended twice, or one ended that never was.", "Report it: a state server never does that."},
	{CodeReportTwice, "`juju audit verify`: a report stands in the log twice.", "Report it: a state server never does that."},
	{"digest", "`juju audit verify`: the state at a snapshot is another one than it says.", "Report it, with the log: the same log must give the same state."},
	{"served-digest", "`juju audit verify`: the state server serves another state than the log gives.", "Restart the state server; if it stays, report it."},
}
