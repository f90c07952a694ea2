package tree

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash names a leaf or a root; in JSON it is base64.
type Hash = tlog.Hash

// Place is where a log lies. It is part of every leaf, so that a record proves nothing in
// another log.
type Place struct {
	Stream      string // such as LogStream
	Incarnation string // the environment's UUID
}

// LogStream is the name of the one log of an environment.
const LogStream = "LOG"

// LogOf is where the log of an environment lies.
func LogOf(environment string) Place { return Place{Stream: LogStream, Incarnation: environment} }

// Leaf is the hash of a record: entity is what it is about, its subject below the log's
// prefix, and record its exact bytes.
func (p Place) Leaf(seq uint64, entity string, record []byte) Hash {
	b := make([]byte, 0, len(record)+192)
	b = fmt.Appendf(b, "jujube-leaf/1\n%d %s %d %s %d %d %s\n",
		len(p.Stream), p.Stream, len(p.Incarnation), p.Incarnation, seq, len(entity), entity)
	return tlog.RecordHash(append(b, record...))
}
