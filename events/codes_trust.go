package events

// Codes of package events/tools/tuf: why signed metadata is not believed.
const (
	CodeTUFFormat       = "tuf-format"
	CodeTUFThreshold    = "tuf-threshold"
	CodeTUFRollback     = "tuf-rollback"
	CodeTUFMismatch     = "tuf-mismatch"
	CodeTUFExpired      = "tuf-expired"
	CodeTUFTooManyRoots = "tuf-too-many-roots"
	CodeTUFAnchor       = "tuf-anchor"
	CodeTUFUnknown      = "tuf-unknown"
)

var trustCodes = []Code{
	{
		CodeTUFFormat, "It is no document that this reader takes: too large, too deep, or not what its role asks for.",
		"Fetch it again from its publisher; a document that stays so is damaged or forged.",
	},
	{CodeTUFThreshold, "Too few of the role's keys signed it.", "Let the missing release managers sign: `juju trust sign`."},
	{
		CodeTUFRollback, "It is older than what was accepted before, or a root is left out.",
		"Use what is published now: `juju trust status`. Else somebody shows old metadata.",
	},
	{CodeTUFMismatch, "The documents, or the files, are not of one publication.", "Copy the publication again as a whole."},
	{CodeTUFExpired, "The signed metadata has ended.", "See that machines reach the state server and that it publishes: `juju trust status`."},
	{CodeTUFTooManyRoots, "More new roots than one cycle takes.", "Nothing; the next cycle goes on from there."},
	{CodeTUFAnchor, "It does not begin at the root that is pinned.", "Compare the pinned root with that of the publisher, by another way than this one."},
	{
		CodeTUFUnknown, "A document that is to be signed holds what this client cannot show, so it is not signed.",
		"Take a client as new as the colleague's, or begin the change again.",
	},
	{"trust-stale", "Somebody else has published since the draft was begun.", "Begin again from what is published."},
	{"trust-lockout", "With these operators nobody could change or order anything afterwards.", "Keep an admin, and this state server, on the roster."},
	{
		"trust-missing", "The bundle that shall be published was not handed over, or another state server leads by now.",
		"Publish again: the client hands it over anew.",
	},
}
