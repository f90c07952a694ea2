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
	SignedBy string    `json:"signed_by,omitempty"` // who signed the metadata of the source; empty: nobody, or the request that brought it says so
	Unsigned bool      `json:"unsigned,omitempty"`
	Time     time.Time `json:"time"`
}

// LostSource is a source of tools that cannot be read.
type LostSource struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}

// foldMarked keeps what each publisher says of a version. A word that takes back an earlier one is kept
// too, with its signing, so that an older copy of the earlier word changes nothing: see tools.SaidBy.
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
