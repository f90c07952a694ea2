package tools

import (
	"cmp"
	"strings"

	"github.com/jujube-project/jujube/events/version"
)

// Marks are what a publisher says of a version besides where its archives are.
type Marks struct {
	Revoked string `json:"revoked,omitempty"`  // why it must not be installed
	Floor   bool   `json:"floor,omitempty"`    // it must be passed through, not skipped
	DeadEnd bool   `json:"dead_end,omitempty"` // nothing newer can be reached from it
}

// Words say it to a person, as what follows "the version is".
func (m Marks) Words() string {
	var words []string
	if m.Revoked != "" {
		words = append(words, "revoked ("+m.Revoked+")")
	}
	if m.Floor {
		words = append(words, "to be passed through")
	}
	if m.DeadEnd {
		words = append(words, "a dead end")
	}
	if len(words) == 0 {
		return "as any other"
	}
	return strings.Join(words, " and ")
}

// Marked is a version with its marks.
type Marked struct {
	Version version.Number `json:"version"`
	Marks
}

// Said is what one publisher says of a version, and in which signing. Only a newer signing
// takes it back: an old copy of a tree must not lift a revocation.
type Said struct {
	Marks
	Signing uint64 `json:"signing,omitempty"` // counter of the signed metadata; 0: nobody signed it
}

// SaidBy is what each publisher says of each version: version → publisher → what.
type SaidBy map[string]map[string]Said

// Publisher is who speaks: who signed, or the source where nobody did.
func Publisher(signedBy, source string) string { return cmp.Or(signedBy, source) }

// News says whether a word of a publisher changes what is known of him. Of the same signing
// (two trees may be signed in one second) only what is stricter does; what nobody signed has
// no order, so there the last word holds.
func (k SaidBy) News(n version.Number, publisher string, word Said) bool {
	known := k[n.String()][publisher]
	switch {
	case word.Marks == known.Marks || word.Signing < known.Signing:
		return false
	case word.Signing == known.Signing && word.Signing != 0:
		return known.Or(word.Marks) == word.Marks
	}
	return true
}

// Of joins what all publishers say of a version.
func (k SaidBy) Of(n version.Number) (all Marks) {
	for _, word := range k[n.String()] {
		all = all.Or(word.Marks)
	}
	return all
}

// Or joins what two publishers say: the stricter word holds.
func (m Marks) Or(o Marks) Marks {
	if m.Revoked == "" || (o.Revoked != "" && o.Revoked < m.Revoked) {
		m.Revoked = o.Revoked
	}
	m.Floor, m.DeadEnd = m.Floor || o.Floor, m.DeadEnd || o.DeadEnd
	return m
}
