package wire

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/jujube-project/jujube/events/tree"
)

// What does not travel as JSON but as the bytes that each type here gives.

// Nothing is what a question is about that is about nothing: it has no body. A body that comes
// all the same is ignored.
type Nothing struct{}

// MarshalBinary gives no bytes.
func (Nothing) MarshalBinary() ([]byte, error) { return nil, nil }

// UnmarshalBinary takes any bytes.
func (*Nothing) UnmarshalBinary([]byte) error { return nil }

// Text is a digest, a public key or a JWT. It travels without quotes.
type Text string

// MarshalBinary gives the text.
func (t Text) MarshalBinary() ([]byte, error) { return []byte(t), nil }

// UnmarshalBinary takes any bytes: whoever uses the text checks it.
func (t *Text) UnmarshalBinary(b []byte) error { *t = Text(b); return nil }

// Raw is made and read by another package.
type Raw []byte

// MarshalBinary gives the bytes.
func (r Raw) MarshalBinary() ([]byte, error) { return r, nil }

// UnmarshalBinary takes any bytes, and keeps them without a copy.
func (r *Raw) UnmarshalBinary(b []byte) error { *r = b; return nil }

// Seen is how many records of the log a client has seen. One that has seen none may send no
// body at all.
type Seen uint64

// MarshalBinary gives the number in decimal.
func (s Seen) MarshalBinary() ([]byte, error) { return strconv.AppendUint(nil, uint64(s), 10), nil }

// UnmarshalBinary takes a number as JSON has it, or no bytes.
func (s *Seen) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		*s = 0
		return nil
	}
	return json.Unmarshal(b, (*uint64)(s))
}

// Leaves are the hashes of the log's records, from the first record on.
type Leaves []tree.Hash

// MarshalBinary gives the hashes, one behind the other.
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
		return fmt.Errorf("%d bytes are not a list of whole hashes, of %d bytes each", len(b), size)
	}
	*l = make(Leaves, len(b)/size)
	for i := range *l {
		copy((*l)[i][:], b[i*size:])
	}
	return nil
}
