package wire

import "github.com/jujube-project/jujube/events/tools"

// OnlyStored is the body of a query "tools" that leaves the sources out.
const OnlyStored = "stored"

// Catalogue is the answer to the query "tools".
type Catalogue struct {
	Stored   []tools.Tools  `json:"stored"`
	Sources  []FoundTools   `json:"sources"`
	Problems []string       `json:"problems"` // sources that could not be read, and why
	Marks    []tools.Marked `json:"marks"`    // versions that are revoked, floors or dead ends
	Said     tools.SaidBy   `json:"said"`     // which publisher said so, as the log knows
	InUse    []Platform     `json:"in_use"`
}

// FoundTools is what one source has.
type FoundTools struct {
	Source   string        `json:"source"`
	SignedBy string        `json:"signed_by,omitempty"` // empty: nobody
	Tools    []tools.Tools `json:"tools"`
}

// Platform is a series and architecture with the machines that run it.
type Platform struct {
	Platform string   `json:"platform"` // "trusty-amd64"
	Machines []string `json:"machines"` // tags
}

// Object is an element of the answer to the query "tools-objects": a whole object of the
// store, by the digest that it was stored under, and how large it says it is.
type Object struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size_bytes"`
}

// Hashed is the answer to the query "tools-hash": what an object of the store really is.
type Hashed struct {
	Size   int64  `json:"size_bytes"`
	SHA256 string `json:"sha256"`
}
