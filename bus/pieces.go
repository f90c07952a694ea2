package bus

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
)

// Piece is a part of an archive that an operator uploads, as a state server receives it. NATS
// lets no one but operators send pieces; nothing else about one was checked but its head.
type Piece struct {
	From   string // public key of the operator who sent it, as NATS knows it; empty: NATS does not say
	Head   wire.PieceHead
	Data   []byte // empty: the client only asks how much is there
	Answer func(wire.PieceAnswer)
}

// headerPiece is the header that holds the wire.PieceHead, in JSON. The body is the data.
const headerPiece = "Jujube-Piece"

// ServeUploads hands f every piece, one after another, until stop is called. The pieces of
// one client come in the order in which it sent them. f may answer later, and answers the
// pieces of one archive in their order.
func (c *Conn) ServeUploads(f func(Piece)) (stop func(), err error) {
	return c.subscribe(names.SubjectUpload+"*", limits.PieceBytes, func(m *nats.Msg) {
		p := Piece{From: senderOf(m), Data: m.Data, Answer: func(a wire.PieceAnswer) { c.answer(m, a) }}
		var err error
		if p.Head, err = parsePieceHead(m); err != nil {
			c.garbage(m.Subject, err)
			c.answer(m, wire.PieceAnswer{Error: err.Error()})
			return
		}
		f(p)
	})
}

func parsePieceHead(m *nats.Msg) (head wire.PieceHead, err error) {
	if err := json.Unmarshal([]byte(m.Header.Get(headerPiece)), &head); err != nil {
		return head, err
	}
	if err := head.Tools.Validate(); err != nil {
		return head, err
	}
	if head.Tools.SHA256 != strings.TrimPrefix(m.Subject, names.SubjectUpload) {
		return head, errors.New("the head names another digest than the subject")
	}
	return head, nil
}
