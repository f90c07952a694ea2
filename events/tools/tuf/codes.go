package tuf

import (
	"errors"
	"fmt"
)

// Refusal says why metadata or an archive is not believed. Nothing was changed.
type Refusal struct {
	Code string // a Code… constant
	Text string // for a person
}

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
