package events

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Payload is the typed content of one kind of fact.
type Payload interface {
	Kind() string    // wire name with version
	Entity() string  // what the fact is about: the log subject without the log's prefix
	Validate() error // why the fields are not valid; nil: they are
}

// ErrUnknownKind is returned by Decode, wrapped, for a kind that this build does not know: a newer
// release wrote it. The caller counts the record and skips it.
var ErrUnknownKind = errors.New("unknown kind")

// Decode gives the typed payload of a record, in the newest version of its kind. It returns
// ErrUnknownKind for a kind that this build does not know, and ErrInvalid for a payload that
// breaks the rules of its kind or that is about another entity than its record says.
func Decode(r Record) (Payload, error) { return decode(r, json.Unmarshal) }

func decode(r Record, read func([]byte, any) error) (Payload, error) {
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
	if err := read(data, p); err != nil {
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

// DecodeStrict is Decode for who acts on a single record, as a machine does: it refuses, with
// ErrInvalid, a payload that two readers could read in two ways. Whoever folds a whole log uses
// Decode, which costs a fraction. Fields that this build does not know are no fault: a newer
// version wrote them.
func DecodeStrict(r Record) (Payload, error) {
	if err := signedRules.Check(r.Data); err != nil {
		return nil, fmt.Errorf("%w: %s at %d: %w", ErrInvalid, r.Kind, r.Seq, err)
	}
	return Decode(r)
}

// DecodeReport is Decode for what a machine says of itself, before it is taken into the log: it is
// strict, and refuses fields that this build does not know as well. They would lie in the log for
// ever, and nobody reads them. State servers are upgraded before machines.
func DecodeReport(r Record) (Report, error) {
	p, err := decode(r, strict)
	if err != nil {
		return nil, err
	}
	report, ok := p.(Report)
	if _, late := p.(*ReportLate); !ok || late {
		return nil, fmt.Errorf("%w: %s is not for an agent to tell", ErrInvalid, r.Kind)
	}
	return report, nil
}

// upcasters make the next version of a payload out of an old one, by wire name. Decode applies
// them until there is none for the name. There are none yet: every kind is at its first version.
var upcasters = map[string]func(old []byte) (kind string, data []byte, err error){}
