package version

// Policy is how a version is chosen when none is given.
type Policy string

// Policies.
const (
	PolicyStep   Policy = "step"   // the manual's: newest patch of the next minor, else of this one
	PolicyNewest Policy = "newest" // the newest release of the major
	PolicyPatch  Policy = "patch"  // the newest patch of this minor
)

// Candidate is one published number, with what its publisher says of it.
type Candidate struct {
	Number    Number
	Platforms []string // for which tools exist, "trusty-amd64"
	Revoked   string   // why it must not be installed; empty: it may be
	Floor     bool     // an upgrade past it must stop at it first
	DeadEnd   bool     // nothing newer can be reached from it; it is chosen only when it is asked for
}

// Question is everything that a choice depends on: the same Question gives the same Answer.
type Question struct {
	Candidates []Candidate
	Current    Number              // what the environment runs
	Client     Number              // what the client that asks is
	Policy     Policy              // empty: PolicyStep
	Platforms  map[string][]string // platform in use → tags of its machines
	To         Number              // the version that is asked for; zero: none, so one is chosen
}

// Outcomes of a choice.
const (
	OutcomeUpgrade   = "upgrade"
	OutcomeNoUpgrade = "no-upgrade"
	OutcomeError     = "error"
)

// Reasons of a verdict. They are stable words.
const (
	ReasonNextMinor     = "next-minor"     // chosen: newest patch of the next minor
	ReasonNewestPatch   = "newest-patch"   // chosen: newest patch of the current minor
	ReasonNewest        = "newest"         // chosen: newest release of the major
	ReasonClientVersion = "client-version" // chosen: the client's own version
	ReasonClientMinor   = "client-minor"   // chosen: newest patch of the client's minor
	ReasonRelease       = "release"        // chosen: the release of the tagged version that runs
	ReasonAsked         = "asked"          // chosen: it was asked for
	ReasonFloor         = "floor"          // chosen: it must be passed through
	ReasonCurrent       = "current"        // it runs already
	ReasonOlder         = "older"          // not newer than the current one
	ReasonOtherMajor    = "other-major"    // of another major than allowed
	ReasonTooFar        = "beyond-next"    // a later minor than the next
	ReasonOlderPatch    = "superseded"     // a newer one is chosen
	ReasonTagged        = "tagged"         // a stable environment does not move to it by itself
	ReasonRevoked       = "revoked"        // the stream says it must not be installed
	ReasonNoTools       = "no-tools"       // machines would be left without tools
	ReasonNotAsked      = "not-asked"      // another one was asked for
	ReasonPolicy        = "policy"         // the policy does not go there
	ReasonBehindFloor   = "behind-floor"   // a floor must be passed through first
	ReasonDeadEndAhead  = "dead-end"       // nothing can be reached from it, or from the current version
)

// Codes of an error.
const (
	CodeClientOlder  = "client-major"  // a client of a lower major may not choose
	CodeNotPublished = "not-published" // the version asked for, or needed, is not there
	CodeLowerMinor   = "lower-minor"   // the version asked for is of a lower minor
	CodeLowerMajor   = "lower-major"   // the version asked for is of a lower major
	CodeOtherMajor   = "other-major"   // the version asked for needs a client of its major
	CodeNoTools      = "no-tools"      // the version asked for lacks tools for machines
	CodeRevoked      = "revoked"       // the version asked for is revoked
	CodeBehindFloor  = "behind-floor"  // the version asked for skips one that must be passed through
	CodeDeadEnd      = "dead-end"      // nothing newer can be reached from the current version
	CodePolicy       = "policy"        // there is no such policy
	CodeUnreachable  = "unreachable"   // the policy's hops end before the version asked for
)

// Verdict is what was decided on one candidate.
type Verdict struct {
	Version Number `json:"version"`
	Chosen  bool   `json:"chosen"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail,omitempty"`
}

// Answer is a choice, with the reason for it and the reason against every other candidate.
type Answer struct {
	Outcome   string    `json:"outcome"`
	Chosen    Number    `json:"chosen"`
	Reason    string    `json:"reason,omitempty"`
	Detail    string    `json:"detail,omitempty"` // for a person
	Downgrade bool      `json:"downgrade,omitempty"`
	Verdicts  []Verdict `json:"verdicts"` // one for each candidate, newest first
	Code      string    `json:"code,omitempty"`
	Message   string    `json:"message,omitempty"` // of an error
}
