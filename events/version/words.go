package version

// Word is a stable word of an answer, and what it means.
type Word struct{ Word, Meaning string }

// Reasons are the words of a verdict and of a hop. Programs may rely on them.
var Reasons = []Word{
	{ReasonNextMinor, "chosen: the newest patch of the next minor version"},
	{ReasonNewestPatch, "chosen: the newest patch of the current minor version"},
	{ReasonNewest, "chosen: the newest release of the major version"},
	{ReasonClientVersion, "chosen: the client's own version, because the major versions differ"},
	{ReasonClientMinor, "chosen: the newest patch of the client's minor version, because its own is not there"},
	{ReasonRelease, "chosen: the release of the tagged version that runs"},
	{ReasonAsked, "chosen: it was asked for"},
	{ReasonFloor, "chosen: it must be passed through"},
	{ReasonCurrent, "rejected: it runs already"},
	{ReasonOlder, "rejected: it is not newer than the current one"},
	{ReasonOtherMajor, "rejected: it is of another major version than may be chosen"},
	{ReasonTooFar, "rejected: the next minor version comes first, and is never skipped"},
	{ReasonOlderPatch, "rejected: a newer one is chosen"},
	{ReasonTagged, "rejected: it is tagged (alpha, beta, rc), and a stable environment does not move there by itself"},
	{ReasonRevoked, "rejected: its publisher has revoked it"},
	{ReasonNoTools, "rejected: some machines would be left without tools"},
	{ReasonNotAsked, "rejected: another one was asked for"},
	{ReasonPolicy, "rejected: the policy does not go there"},
	{ReasonBehindFloor, "rejected: a version before it must be passed through first"},
	{ReasonDeadEndAhead, "rejected: nothing newer can be reached from it, or from the current version"},
}

// Codes are the words of an error. A rejected candidate has the error's code as its
// reason where the error is about it.
var Codes = []Word{
	{CodeClientOlder, "a client of a lower major version than the environment may not choose"},
	{CodeNotPublished, "the version asked for, or needed, is not published"},
	{CodeLowerMinor, "the version asked for is of a lower minor version; only the patch may be lower"},
	{CodeLowerMajor, "the version asked for is of a lower major version"},
	{CodeOtherMajor, "the version leads to a major version that needs a client of that major version"},
	{CodeNoTools, "the version asked for has no tools for some machines"},
	{CodeRevoked, "the version asked for is revoked by its publisher"},
	{CodeBehindFloor, "a version that must be passed through comes before, or may not be installed"},
	{CodeDeadEnd, "nothing newer can be reached from the current version"},
	{CodePolicy, "there is no such policy"},
	{CodeUnreachable, "the policy's hops end before the version asked for"},
}
