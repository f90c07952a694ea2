package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/nats-io/nats.go"
)

// Piece is a part of an archive that an operator sends to the state server.
type Piece struct {
	Head   PieceHead
	Data   []byte // empty: only asks how much is there
	Answer func(PieceAnswer)
}

// PieceHead says what a piece belongs to.
type PieceHead struct {
	Tools   tools.Tools `json:"tools"`
	Request string      `json:"request"` // id of the accepted request that announced the archive
	Source  string      `json:"source"`
	Offset  int64       `json:"offset"`
}

// PieceAnswer tells how much the state server has. The archive is stored and in the
// log when Done is set.
type PieceAnswer struct {
	Next  int64  `json:"next"`
	Done  bool   `json:"done"`
	Error string `json:"error,omitempty"`
}

const headerPiece = "Jujube-Piece"

// ServeUploads hands every piece to f until stop is called; f may answer later.
func (c *Conn) ServeUploads(f func(Piece)) (stop func(), err error) {
	return c.subscribe(subjectUpload+"*", maxPieceBytes, func(m *nats.Msg) {
		p := Piece{Data: m.Data, Answer: func(a PieceAnswer) { c.answer(m, a) }}
		err := json.Unmarshal([]byte(m.Header.Get(headerPiece)), &p.Head)
		if err == nil {
			err = p.Head.Tools.Validate()
		}
		if err == nil && p.Head.Tools.SHA256 != strings.TrimPrefix(m.Subject, subjectUpload) {
			err = errors.New("the head names another digest than the subject")
		}
		if err != nil {
			c.garbage(m.Subject, err)
			c.answer(m, PieceAnswer{Error: err.Error()})
			return
		}
		f(p)
	})
}

// Upload sends an archive and returns when it is stored and in the log. It goes on where
// an earlier try was cut off. progress, if not nil, is told how many bytes are there.
func (c *Conn) Upload(ctx context.Context, head PieceHead, r io.ReadSeeker, progress func(sent int64)) error {
	a, err := c.piece(ctx, head, nil)
	buf := make([]byte, maxPieceBytes)
	for err == nil && !a.Done {
		if progress != nil {
			progress(a.Next)
		}
		if _, err = r.Seek(a.Next, io.SeekStart); err != nil {
			break
		}
		var n int
		n, err = io.ReadFull(r, buf[:min(int64(len(buf)), head.Tools.Size-a.Next)])
		if err != nil {
			break
		}
		head.Offset = a.Next
		a, err = c.piece(ctx, head, buf[:n])
	}
	if err != nil {
		return fmt.Errorf("upload tools %s: %w", head.Tools.Version, err)
	}
	if progress != nil {
		progress(head.Tools.Size)
	}
	return nil
}

func (c *Conn) piece(ctx context.Context, head PieceHead, data []byte) (PieceAnswer, error) {
	text, err := json.Marshal(head)
	if err != nil {
		return PieceAnswer{}, err
	}
	m := nats.NewMsg(subjectUpload + head.Tools.SHA256)
	m.Data = data
	m.Header.Set(headerPiece, string(text))
	answer, err := c.nats.RequestMsgWithContext(ctx, m)
	if err != nil {
		return PieceAnswer{}, translate(err)
	}
	var a PieceAnswer
	if err := json.Unmarshal(answer.Data, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New("the state server refuses: " + a.Error)
	}
	return a, nil
}
