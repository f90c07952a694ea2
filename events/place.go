package events

import (
	"bytes"
	"fmt"
)

// Placed gives the record with its place: the payload begins with the environment and the position in
// the log for which it is made. A state server places and signs every record that it writes, except
// reports, which machines sign. Since the payload is signed, a record of a state server counts in one
// environment, at one position. Whoever reads a payload without looking at its place ignores it, so
// older readers understand placed records.
//
// Seq must be set. A record that has a place already, or whose payload is no object, is left as it is.
func (r Record) Placed(environment string) Record {
	if rest, ok := bytes.CutPrefix(r.Data, []byte{'{'}); ok && !r.HasPlace() {
		data := append(make([]byte, 0, len(r.Data)+96), place(environment, r.Seq)...)
		if bytes.HasPrefix(rest, []byte{'}'}) {
			data = data[:len(data)-1] // no comma: nothing follows
		}
		r.Data = append(data, rest...)
	}
	return r
}

// IsPlaced says whether the record was made for this environment and for the position at which it lies.
func (r Record) IsPlaced(environment string) bool {
	want := place(environment, r.Seq)
	return bytes.HasPrefix(r.Data, want[:len(want)-1]) // a comma or the end of the object follows
}

// HasPlace says whether the record was made for one place. One that a state server of before wrote was not.
func (r Record) HasPlace() bool { return bytes.HasPrefix(r.Data, placeOpens) }

var placeOpens = []byte(`{"place":`)

func place(environment string, seq uint64) []byte {
	return fmt.Appendf(nil, `%s{"environment":%q,"seq":%d},`, placeOpens, environment, seq)
}
