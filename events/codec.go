package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The first word of an encoded record. Its number says how the first line is laid out.
const (
	wireName   = "jujube/1"
	wireSigned = "jujube/2" // of a record with a signature
)

// Marshal gives the bytes of a record on the wire: one line with the envelope, then the payload
// as JSON. A person can read this form in any NATS tool, and a replay can skip a record without
// decoding its payload:
//
//	jujube/1 ID KIND TIME ENTITY ACTOR CAUSATION CORRELATION\n{...}
//	jujube/2 ID KIND TIME ENTITY ACTOR CAUSATION CORRELATION KEY SIGNATURE\n{...}
//
// The second form is that of a signed record. TIME is in nanoseconds since 1970, and an empty
// field is written as "-". Seq is not written: the position in the log gives it. Marshal returns
// ErrInvalid for a record that breaks a limit.
func Marshal(r Record) ([]byte, error) {
	if err := r.validate(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(r.Data)+256)
	head := []string{
		wireName, r.ID, r.Kind, strconv.FormatInt(r.Time.UnixNano(), 10),
		r.Entity, r.Actor, r.Causation, r.Correlation,
	}
	if r.Key != "" {
		head[0] = wireSigned
		head = append(head, r.Key, r.Signature)
	}
	for i, f := range head {
		if f == "" {
			f = "-"
		}
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, f...)
	}
	b = append(append(b, '\n'), r.Data...)
	if len(b) > MaxRecordBytes {
		return nil, fmt.Errorf("%w: %s has %d bytes, limit %d", ErrInvalid, r.Kind, len(b), MaxRecordBytes)
	}
	return b, nil
}

// Unmarshal reads what Marshal wrote, and returns ErrInvalid for anything else. It checks the
// envelope and not the payload: a record of a kind that this build does not know is still a
// record. The result shares no memory with b.
func Unmarshal(b []byte) (Record, error) {
	if len(b) > MaxRecordBytes {
		return Record{}, fmt.Errorf("%w: %d bytes, limit %d", ErrInvalid, len(b), MaxRecordBytes)
	}
	head, data, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return Record{}, fmt.Errorf("%w: no envelope line", ErrInvalid)
	}
	var f [10]string
	if !fields(string(head), &f) {
		return Record{}, fmt.Errorf("%w: the envelope line is neither %q and seven fields nor %q and nine", ErrInvalid, wireName, wireSigned)
	}
	ns, err := strconv.ParseInt(f[3], 10, 64)
	if err != nil {
		return Record{}, fmt.Errorf("%w: time %q: %w", ErrInvalid, f[3], err)
	}
	r := Record{
		Envelope: Envelope{
			ID: f[1], Time: time.Unix(0, ns).UTC(),
			Actor: f[5], Causation: f[6], Correlation: f[7], Key: f[8], Signature: f[9],
		},
		Kind: f[2], Entity: f[4], Data: bytes.Clone(data),
	}
	return r, r.validate()
}

// fields splits the envelope line into the fields of its layout. A field "-" becomes empty.
func fields(line string, f *[10]string) bool {
	n := len(f) - 2
	if strings.HasPrefix(line, wireSigned) {
		n = len(f)
	}
	for i := range n {
		word, rest, more := strings.Cut(line, " ")
		if word == "" || more != (i < n-1) {
			return false
		}
		if word == "-" {
			word = ""
		}
		f[i], line = word, rest
	}
	return f[0] == wireName && n < len(f) || f[0] == wireSigned && f[n-1] != ""
}

func encodePayload(p Payload) ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, p.Kind(), err)
	}
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, p.Kind(), err)
	}
	return data, nil
}
