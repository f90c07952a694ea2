package tools

import "github.com/jujube-project/jujube/events/version"

// Marks are what a publisher says of a version besides where its archives are.
type Marks struct {
	Revoked string `json:"revoked,omitempty"`  // why it must not be installed
	Floor   bool   `json:"floor,omitempty"`    // it must be passed through, not skipped
	DeadEnd bool   `json:"dead_end,omitempty"` // nothing newer can be reached from it
}

// Marked is a version with its marks.
type Marked struct {
	Version version.Number `json:"version"`
	Marks
}

// Or joins what two publishers say: the stricter word holds.
func (m Marks) Or(o Marks) Marks {
	if m.Revoked == "" || (o.Revoked != "" && o.Revoked < m.Revoked) {
		m.Revoked = o.Revoked
	}
	m.Floor, m.DeadEnd = m.Floor || o.Floor, m.DeadEnd || o.DeadEnd
	return m
}
