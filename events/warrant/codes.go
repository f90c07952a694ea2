package warrant

// Codes of refusals. docs/SECURITY.md says what to do about each.
const (
	CodeSignature   = "req-signature"     // nobody signed this as a request
	CodeOperator    = "req-operator"      // who signed it is no operator, or not any more
	CodeScope       = "req-scope"         // he may not ask that of this machine
	CodeQuorum      = "req-quorum"        // too few operators agree
	CodeExpired     = "req-expired"       // its time is over, or has not begun
	CodeRevoked     = "req-revoked"       // it was taken back
	CodeEnvironment = "other-environment" // it was asked of another environment
	CodeNotAsked    = "not-asked"         // the request asks for something else
	CodeNotInList   = "not-in-request"    // the machine is not among those it was asked for
	CodeNotForMe    = "not-for-me"        // the order is another machine's
	CodeServer      = "order-signature"   // no state server of the roster signed the order
	CodeUnknown     = "target-unknown"    // nobody signed such an archive
	CodeDisagree    = "digest-disagree"   // the archive is not the one that was asked for
	CodeFloor       = "floor"             // the version is older than what runs, or than what may run
	CodeTrust       = "no-roster"         // the machine has no signed roster to believe
)
