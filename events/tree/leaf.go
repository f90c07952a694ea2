package tree

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash names a leaf or a root; in JSON it is base64.
type Hash = tlog.Hash

// Place says which log it is. It is part of every leaf, so that a record proves nothing about another
// log.
type Place struct {
	Stream      string // such as LogStream
	Incarnation string // the environment's UUID
}

// LogStream is the name of the one log of an environment.
const LogStream = "LOG"

// LogOf gives the place of the log of an environment.
func LogOf(environment string) Place { return Place{Stream: LogStream, Incarnation: environment} }

// Leaf is the hash of a record at a sequence: entity is what the record is about, record its exact
// bytes. The lengths are hashed too, so that no two records give the same bytes.
func (p Place) Leaf(seq uint64, entity string, record []byte) Hash {
	b := make([]byte, 0, len(record)+192)
	b = fmt.Appendf(b, "jujube-leaf/1\n%d %s %d %s %d %d %s\n",
		len(p.Stream), p.Stream, len(p.Incarnation), p.Incarnation, seq, len(entity), entity)
	return tlog.RecordHash(append(b, record...))
}
