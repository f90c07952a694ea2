package tuf

// Codes of refusals. docs/SECURITY.md says what to do about each.
const (
	CodeFormat       = "tuf-format"         // it is no document that this reader takes
	CodeThreshold    = "tuf-threshold"      // too few of the role's keys signed it
	CodeRollback     = "tuf-rollback"       // it is older than what was accepted before, or a root is left out
	CodeMismatch     = "tuf-mismatch"       // the documents, or the files, are not of one publication
	CodeExpired      = "tuf-expired"        // its time is over
	CodeTooManyRoots = "tuf-too-many-roots" // more new roots than one cycle takes: the next goes on from here
	CodeAnchor       = "tuf-anchor"         // it does not begin at the root that is pinned
	CodeUnknown      = "target-unknown"     // no such archive was signed
	CodeDisagree     = "digest-disagree"    // an archive of this name was signed, with another digest or length
	CodeRevoked      = "revoked"            // the archive was signed and taken back
)
