package events

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jujube-project/jujube/events/limits"
)

// Limits of a record. They are part of the wire contract: New and Unmarshal refuse what is
// larger, so that neither a writer nor a reader can be flooded.
const (
	MaxRecordBytes = limits.RecordBytes // an encoded record, envelope and payload
	MaxFieldBytes  = limits.FieldBytes  // one envelope field
)

// Envelope is the part that all records have.
type Envelope struct {
	ID          string    // unique, and the same in every retry; a UUIDv7 by convention
	Time        time.Time // when the fact was recorded; UTC, in nanoseconds
	Actor       string    // who did it: "operator-alice", "machine-3", "state-server-0"
	Causation   string    // ID of the record or request that directly caused this one; may be empty
	Correlation string    // ID of the request that this record belongs to in the end; may be empty
	Key         string    // public nkey that signed kind, entity and payload; empty: nothing is signed
	Signature   string    // see Record.Signed
}

// Record is one fact as it lies in the log.
type Record struct {
	Envelope
	Kind   string // wire name with version, such as "agent.started/1"
	Entity string // what the fact is about: the log subject without the log's prefix
	Data   []byte // the payload as JSON, exactly as written
	Seq    uint64 // position in the log; 0 before it was appended
}

// New makes a record of a payload. It returns ErrInvalid for an envelope or a payload that breaks
// its own rules, so that nothing invalid is ever appended.
func New(env Envelope, payload Payload) (Record, error) {
	data, err := encodePayload(payload)
	if err != nil {
		return Record{}, err
	}
	env.Time = env.Time.UTC()
	rec := Record{Envelope: env, Kind: payload.Kind(), Entity: payload.Entity(), Data: data}
	if err := rec.validate(); err != nil {
		return Record{}, err
	}
	return rec, nil
}

// ErrInvalid is wrapped by every error about a malformed record or payload. The same bytes give
// it again: do not retry.
var ErrInvalid = errors.New("invalid record")

func (r Record) validate() error {
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"id", r.ID, true},
		{"kind", r.Kind, true},
		{"entity", r.Entity, true},
		{"actor", r.Actor, true},
		{"causation", r.Causation, false},
		{"correlation", r.Correlation, false},
		{"key", r.Key, r.Signature != ""},
		{"signature", r.Signature, r.Key != ""},
	} {
		if err := validateField(f.name, f.value, f.required); err != nil {
			return err
		}
	}
	if r.Time.IsZero() || r.Time.Year() < 1970 || r.Time.Year() > 9999 {
		return fmt.Errorf("%w: time %v is outside 1970 to 9999", ErrInvalid, r.Time)
	}
	if len(r.Data) > MaxRecordBytes {
		return fmt.Errorf("%w: payload of %s has %d bytes, limit %d", ErrInvalid, r.Kind, len(r.Data), MaxRecordBytes)
	}
	return nil
}

// validateField allows printable ASCII without spaces. The first line of an encoded record can
// then be read in one way only.
func validateField(name, value string, required bool) error {
	switch {
	case value == "" && required:
		return fmt.Errorf("%w: %s is empty", ErrInvalid, name)
	case value == "-":
		return fmt.Errorf("%w: %s is a lone dash", ErrInvalid, name)
	case len(value) > MaxFieldBytes:
		return fmt.Errorf("%w: %s has %d bytes, limit %d", ErrInvalid, name, len(value), MaxFieldBytes)
	case strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }):
		return fmt.Errorf("%w: %s %q holds a space or a character that is not printable ASCII", ErrInvalid, name, value)
	}
	return nil
}
