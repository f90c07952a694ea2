package projections

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Schema is increased whenever the meaning or the JSON of a State changes. A snapshot of another schema is
// thrown away, and the log is folded from its start. Only digests of the same schema are compared.
const Schema = 8

// ErrSnapshot is returned by DecodeSnapshot, wrapped, for bytes that are no snapshot of this schema, or
// that were damaged. The caller folds the log from its start instead.
var ErrSnapshot = errors.New("unusable snapshot")

// snapshotHead is the first line of a snapshot; the State's JSON follows.
type snapshotHead struct {
	Schema int    `json:"jujube_snapshot"`
	Seq    uint64 `json:"seq"`
	Digest string `json:"digest"`
}

// Digest is the SHA-256 of the state's JSON, in hex. Two folds with equal digests came to the same state.
func (s *State) Digest() string {
	sum := sha256.Sum256(s.canonical())
	return hex.EncodeToString(sum[:])
}

// canonical is the state's JSON. The encoder sorts the keys of maps, and a State holds nothing that JSON
// cannot express, so that the same State always gives the same bytes.
func (s *State) canonical() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a State that has no JSON: %v", err))
	}
	return b
}

// EncodeSnapshot gives the state as bytes: one line with schema, position and digest, then the state's
// JSON.
func EncodeSnapshot(s *State) []byte {
	body := s.canonical()
	sum := sha256.Sum256(body)
	head, err := json.Marshal(snapshotHead{Schema: Schema, Seq: s.Seq, Digest: hex.EncodeToString(sum[:])})
	if err != nil {
		panic(fmt.Sprintf("a snapshot head that has no JSON: %v", err))
	}
	return slices.Concat(head, []byte{'\n'}, body)
}

// DecodeSnapshot reads what EncodeSnapshot wrote. It returns ErrSnapshot for another
// schema, a digest that does not fit, or anything else that is not such a snapshot.
func DecodeSnapshot(b []byte) (*State, error) {
	line, body, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return nil, fmt.Errorf("%w: no head line", ErrSnapshot)
	}
	var head snapshotHead
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, fmt.Errorf("%w: head: %w", ErrSnapshot, err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("%w: schema %d, this build reads %d", ErrSnapshot, head.Schema, Schema)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != head.Digest {
		return nil, fmt.Errorf("%w: the state does not have the digest %s", ErrSnapshot, head.Digest)
	}
	s := New()
	if err := json.Unmarshal(body, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	if s.Seq != head.Seq {
		return nil, fmt.Errorf("%w: the head says sequence %d, the state %d", ErrSnapshot, head.Seq, s.Seq)
	}
	s.order()
	if s.Asking != nil {
		s.Asking.read()
	}
	return s, nil
}

// order sets recent, which the JSON does not hold.
func (s *State) order() {
	s.recent = make([]string, 0, len(s.Requests))
	for id := range s.Requests {
		s.recent = append(s.recent, id)
	}
	slices.SortFunc(s.recent, func(a, b string) int {
		return cmp.Compare(s.Requests[a].Seq, s.Requests[b].Seq)
	})
}
