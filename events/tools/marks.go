package tools

import (
	"cmp"
	"strings"

	"github.com/jujube-project/jujube/events/version"
)

// Marks are what a publisher says of a version, besides where its archives are.
type Marks struct {
	Revoked string `json:"revoked,omitempty"`  // why it must not be installed
	Floor   bool   `json:"floor,omitempty"`    // an upgrade past it must stop at it first
	DeadEnd bool   `json:"dead_end,omitempty"` // nothing newer can be reached from it
}

// Words gives the marks for a person, as what follows "the version is".
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

// Said is what one publisher says of a version, and the signing in which the publisher said it. Only
// a newer signing takes it back, so that an old copy of a tree cannot lift a revocation.
type Said struct {
	Marks
	Signing uint64 `json:"signing,omitempty"` // counter of the signed metadata; 0: nobody signed it
}

// SaidBy is what each publisher says of each version. Its keys are the version and the publisher.
type SaidBy map[string]map[string]Said

// Publisher gives the key of a publisher in a SaidBy: who signed, or the source if nobody did.
func Publisher(signedBy, source string) string { return cmp.Or(signedBy, source) }

// News says whether a word changes what is known of the same publisher. A word of an older signing
// changes nothing. Of the same signing, only a stricter word does: two trees may be signed in one
// second, and it is unknown which is newer. Words that nobody signed have no order, so the last one
// holds.
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

// Of joins what all publishers say of a version; see Marks.Or.
func (k SaidBy) Of(n version.Number) (all Marks) {
	for _, word := range k[n.String()] {
		all = all.Or(word.Marks)
	}
	return all
}

// Or joins two marks: what one of them says holds. If both say that the version is revoked, the
// smaller text is kept, so that the order of the two makes no difference.
func (m Marks) Or(o Marks) Marks {
	if m.Revoked == "" || (o.Revoked != "" && o.Revoked < m.Revoked) {
		m.Revoked = o.Revoked
	}
	m.Floor, m.DeadEnd = m.Floor || o.Floor, m.DeadEnd || o.DeadEnd
	return m
}
