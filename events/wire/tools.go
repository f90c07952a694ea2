package wire

import "github.com/jujube-project/jujube/events/tools"

// Scope says where the state server looks for tools. It travels as it is, not as JSON.
type Scope string

// The scopes. Another word means WithSources.
const (
	WithSources Scope = ""       // in its store and in the sources, which takes as long as the slowest of them
	OnlyStored  Scope = "stored" // in its store
)

// MarshalBinary gives the word.
func (s Scope) MarshalBinary() ([]byte, error) { return []byte(s), nil }

// UnmarshalBinary takes any word.
func (s *Scope) UnmarshalBinary(b []byte) error { *s = Scope(b); return nil }

// Catalogue is the answer to Tools: which tools there are, what is said of them, and who needs
// which.
type Catalogue struct {
	Stored   []tools.Tools  `json:"stored"`
	Sources  []FoundTools   `json:"sources"`
	Problems []string       `json:"problems"` // why sources could not be read, for a person
	Marks    []tools.Marked `json:"marks"`    // what is said of versions: revoked, a floor, a dead end
	Said     tools.SaidBy   `json:"said"`     // which publisher said so, as far as it is in the log
	InUse    []Platform     `json:"in_use"`
}

// FoundTools is what one source has.
type FoundTools struct {
	Source   string        `json:"source"`
	SignedBy string        `json:"signed_by,omitempty"` // empty: nobody
	Tools    []tools.Tools `json:"tools"`
}

// Platform is a series and an architecture, with the machines that run on it.
type Platform struct {
	Platform string   `json:"platform"` // "trusty-amd64"
	Machines []string `json:"machines"` // tags, "machine-3"
}

// Object is an element of the answer to ToolsObjects: a whole object of the store, as its
// description names it. Nobody has read the bytes; Hashed says what they are.
type Object struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size_bytes"`
}

// Hashed is the answer to ToolsHash: what the bytes of an object are. The state server has read
// all of them.
type Hashed struct {
	Size   int64  `json:"size_bytes"`
	SHA256 string `json:"sha256"`
	Fault  string `json:"fault,omitempty"` // why it is not the archive of the version that the catalogue has it as
}
