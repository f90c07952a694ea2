package projections

import (
	"time"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
)

// StoredTools is one archive in the object store.
type StoredTools struct {
	tools.Tools
	Source   string    `json:"source"`
	SignedBy string    `json:"signed_by,omitempty"` // empty: see the request that brought it, or Unsigned
	Unsigned bool      `json:"unsigned,omitempty"`
	Time     time.Time `json:"time"`
}

// LostSource is a source of tools that cannot be read.
type LostSource struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// foldMarked keeps what each publisher says of a version, also when he takes it back:
// then it is remembered in which signing.
func (s *State) foldMarked(p *events.ToolsMarked) {
	n := p.Version.String()
	said := map[string]tools.Said{tools.Publisher(p.SignedBy, p.Source): {Marks: p.Marks, Signing: p.Signing}}
	for publisher, word := range s.Marks[n] {
		if _, again := said[publisher]; !again {
			said[publisher] = word
		}
	}
	s.Marks[n] = said
}
