package wire

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jujube-project/jujube/events/tree"
)

// What does not travel as JSON. Each type here gives its bytes as they are.

// Nothing is the body of a question that needs none. Whatever comes in its place is ignored.
type Nothing struct{}

// MarshalBinary gives no bytes.
func (Nothing) MarshalBinary() ([]byte, error) { return nil, nil }

// UnmarshalBinary takes any bytes.
func (*Nothing) UnmarshalBinary([]byte) error { return nil }

// Text travels without quotes: a digest, a public key, a JWT.
type Text string

// MarshalBinary gives the text.
func (t Text) MarshalBinary() ([]byte, error) { return []byte(t), nil }

// UnmarshalBinary takes any bytes. Whoever uses the text checks it.
func (t *Text) UnmarshalBinary(b []byte) error { *t = Text(b); return nil }

// Raw are bytes that another package makes and reads.
type Raw []byte

// MarshalBinary gives the bytes.
func (r Raw) MarshalBinary() ([]byte, error) { return r, nil }

// UnmarshalBinary takes any bytes, and shares them.
func (r *Raw) UnmarshalBinary(b []byte) error { *r = b; return nil }

// Seen is how many records of the log the asker has seen. A client that has seen none may
// say nothing at all.
type Seen uint64

// MarshalBinary gives the number in decimal.
func (s Seen) MarshalBinary() ([]byte, error) { return strconv.AppendUint(nil, uint64(s), 10), nil }

// UnmarshalBinary takes a number as JSON has it, or nothing.
func (s *Seen) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		*s = 0
		return nil
	}
	return json.Unmarshal(b, (*uint64)(s))
}

// Leaves are the hashes of the log's records, from the first one on.
type Leaves []tree.Hash

// MarshalBinary gives the hashes one behind the other.
func (l Leaves) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, len(l)*len(tree.Hash{}))
	for i := range l {
		b = append(b, l[i][:]...)
	}
	return b, nil
}

// UnmarshalBinary takes whole hashes only.
func (l *Leaves) UnmarshalBinary(b []byte) error {
	const size = len(tree.Hash{})
	if len(b)%size != 0 {
		return fmt.Errorf("%d bytes are no hashes of %d each", len(b), size)
	}
	*l = make(Leaves, len(b)/size)
	for i := range *l {
		copy((*l)[i][:], b[i*size:])
	}
	return nil
}
