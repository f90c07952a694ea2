package network

import (
	"bytes"
	"io"
	"net"
	"testing"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
)

// said is a connection whose other end has said something, and hears nothing.
type said struct {
	net.Conn
	io.Reader
}

func (s said) Read(b []byte) (int, error) { return s.Reader.Read(b) }
func (said) Write(b []byte) (int, error)  { return len(b), nil }

// Whatever a network half says that was taken over, the agent reads an answer, a record or a
// question about keys of it, or an error.
func FuzzFrames(f *testing.F) {
	id, err := bus.NewIdentity()
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range []any{answer{Yes: true}, keyQuestion{Ask: keySign, Bytes: []byte("nonce")}, question{Do: doOrders}} {
		var b bytes.Buffer
		if err := writeJSON(&b, v); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte{0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(_ *testing.T, b []byte) {
		var a answer
		if readJSON(bytes.NewReader(b), &a) == nil {
			_ = a.err()
		}
		_ = readOrders(said{Reader: bytes.NewReader(b)}, func(events.Record) {})
		_ = serveKeys(said{Reader: bytes.NewReader(b)}, hostKey{Signer: id})
	})
}
