package events

import (
	"encoding/base64"
	"fmt"
)

// RecordType separates the signature of a record from every other use of a key.
const RecordType = "jujube.record.v1"

// Signed gives the record with the signature of who says it. It covers kind, entity and
// payload, byte for byte: what a state server adds when it takes a report into the log
// (its own id, time and cause) is not the machine's word.
func (r Record) Signed(by Signer) (Record, error) {
	signature, err := by.Sign(r.signed())
	if err != nil {
		return Record{}, fmt.Errorf("sign %s: %w", r.Kind, err)
	}
	r.Key, r.Signature = by.Public(), base64.RawURLEncoding.EncodeToString(signature)
	return r, nil
}

// As gives what somebody said, byte for byte and with his signature, another envelope: a
// report that a state server takes into the log.
func (r Record) As(env Envelope) (Record, error) {
	env.Key, env.Signature, env.Time = r.Key, r.Signature, env.Time.UTC()
	r.Envelope = env
	return r, r.validate()
}

// CheckSignature returns ErrSignature unless the record is signed with that key.
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
