package network

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/strictjson"
)

// maxFrame is how many bytes one frame may have. The largest are records, and the answer to an
// enrolment.
const maxFrame = 2 * limits.RecordBytes

// chunk is how many bytes of an archive go into one frame.
const chunk = 64 << 10

// writeFrame writes a frame: its length, and its bytes.
func writeFrame(w io.Writer, b []byte) error {
	if len(b) > maxFrame {
		return fmt.Errorf("a frame of %d bytes, limit %d", len(b), maxFrame)
	}
	_, err := w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...))
	return err
}

// readFrame reads a frame. It takes no memory for more than came.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, fmt.Errorf("a frame of %d bytes, limit %d", n, maxFrame)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

func writeJSON(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, b)
}

// readJSON reads a frame that can be read in one way only.
func readJSON(r io.Reader, v any) error {
	b, err := readFrame(r)
	if err == nil {
		err = (strictjson.Rules{Depth: 8, Null: true}).Check(b)
	}
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	return err
}
