package events

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Payload is the typed content of one kind of fact.
type Payload interface {
	Kind() string    // wire name with version
	Entity() string  // what it is about: the log subject below the log's prefix
	Validate() error // what the fields must satisfy; nil when they do
}

// ErrUnknownKind is wrapped by Decode for a kind that this build does not know, such as
// one written by a newer release. The caller counts the record and skips it.
var ErrUnknownKind = errors.New("unknown kind")

// Decode gives the typed payload of a record, brought to its newest version. It returns
// ErrUnknownKind for a kind this build does not know, and ErrInvalid for a payload
// that breaks its kind's rules or names another entity than its record.
func Decode(r Record) (Payload, error) {
	name, data := r.Kind, r.Data
	for up, ok := upcasters[name]; ok; up, ok = upcasters[name] {
		var err error
		if name, data, err = up(data); err != nil {
			return nil, fmt.Errorf("%w: %s at %d: bring to the newest version: %w", ErrInvalid, r.Kind, r.Seq, err)
		}
	}
	newPayload, ok := kinds[name]
	if !ok {
		return nil, fmt.Errorf("%w: %s at %d", ErrUnknownKind, r.Kind, r.Seq)
	}
	p := newPayload()
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("%w: %s at %d: %w", ErrInvalid, r.Kind, r.Seq, err)
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %s at %d: %w", ErrInvalid, r.Kind, r.Seq, err)
	}
	if e := p.Entity(); e != r.Entity {
		return nil, fmt.Errorf("%w: %s at %d lies under %q but speaks of %q", ErrInvalid, r.Kind, r.Seq, r.Entity, e)
	}
	return p, nil
}

// upcasters bring the payload of an old version to the next one, by wire name. There
// are none yet: every kind is at its first version.
var upcasters = map[string]func(old []byte) (kind string, data []byte, err error){}
