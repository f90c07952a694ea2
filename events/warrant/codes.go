package warrant

import (
	"errors"
	"fmt"
)

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

// Refusal says why something is not lawful. Nothing was changed.
type Refusal struct {
	Code string // a Code… constant
	Text string // for a person
}

func (r *Refusal) Error() string { return r.Code + ": " + r.Text }

func refuse(code, format string, args ...any) error {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}

// CodeOf gives the code of a refusal, or "" for any other error.
func CodeOf(err error) string {
	var r *Refusal
	if errors.As(err, &r) {
		return r.Code
	}
	return ""
}
