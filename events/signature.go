package events

import (
	"encoding/base64"
	"fmt"
)

// RecordType is part of what is signed for a record, so that the signature cannot be used as the
// signature of anything else. See PAE.
const RecordType = "jujube.record.v1"

// Signed gives the record with a signature over kind, entity and payload, byte for byte. The rest
// of the envelope is not covered: a state server that takes a machine's report into the log gives
// it an id, a time and a cause of its own, and those are not the machine's word. Where a record
// counts, its payload says: see Placed for what a state server signs. A report has the epoch and its
// number, and its key is made for one enrolment in one environment.
func (r Record) Signed(by Signer) (Record, error) {
	signature, err := by.Sign(r.signed())
	if err != nil {
		return Record{}, fmt.Errorf("sign %s: %w", r.Kind, err)
	}
	r.Key, r.Signature = by.Public(), base64.RawURLEncoding.EncodeToString(signature)
	return r, nil
}

// As gives the record another envelope, and keeps kind, entity, payload, key and signature as they
// are. A state server does that with a report that it takes into the log.
func (r Record) As(env Envelope) (Record, error) {
	env.Key, env.Signature, env.Time = r.Key, r.Signature, env.Time.UTC()
	r.Envelope = env
	return r, r.validate()
}

// CheckSignature returns ErrSignature unless the record is signed with this key.
func (r Record) CheckSignature(key string) error {
	if r.Key != key {
		return fmt.Errorf("%w: %s is signed with the key %q, not with %s", ErrSignature, r.Kind, r.Key, key)
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(r.Signature)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSignature, r.Kind, err)
	}
	return CheckSignature(key, r.signed(), signature)
}

func (r Record) signed() []byte {
	b := make([]byte, 0, len(r.Kind)+len(r.Entity)+len(r.Data)+2)
	b = append(append(b, r.Kind...), ' ')
	b = append(append(b, r.Entity...), '\n')
	return PAE(RecordType, append(b, r.Data...))
}
