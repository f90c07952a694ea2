package wire

import "github.com/jujube-project/jujube/events/tools"

// Scope says where Tools looks. It travels as it is.
type Scope string

// The scopes. Any other word is WithSources.
const (
	WithSources Scope = ""       // in the store and in the sources; as slow as the slowest source
	OnlyStored  Scope = "stored" // in the store
)

// MarshalBinary gives the word.
func (s Scope) MarshalBinary() ([]byte, error) { return []byte(s), nil }

// UnmarshalBinary takes any word.
func (s *Scope) UnmarshalBinary(b []byte) error { *s = Scope(b); return nil }

// Catalogue is the answer to Tools.
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

// Object is an element of the answer to ToolsObjects: a whole object of the
// store, by the digest that it was stored under, and how large it says it is.
type Object struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size_bytes"`
}

// Hashed is the answer to ToolsHash: what an object of the store really is.
type Hashed struct {
	Size   int64  `json:"size_bytes"`
	SHA256 string `json:"sha256"`
}
