package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/limits"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/nats-io/nats.go"
)

// Piece is a part of an archive that an operator sends to the state server.
type Piece struct {
	Head   wire.PieceHead
	Data   []byte // empty: only asks how much is there
	Answer func(wire.PieceAnswer)
}

// ErrRefused: the state server has inspected an archive and does not take it.
var ErrRefused = errors.New("the state server refuses the archive")

const headerPiece = "Jujube-Piece"

// UploadWindow is how many pieces a client sends before the first of them is answered.
const UploadWindow = 3

// ServeUploads hands every piece to f until stop is called; f may answer later. Pieces of
// one client come in the order in which it sent them.
func (c *Conn) ServeUploads(f func(Piece)) (stop func(), err error) {
	return c.subscribe(names.SubjectUpload+"*", limits.PieceBytes, func(m *nats.Msg) {
		p := Piece{Data: m.Data, Answer: func(a wire.PieceAnswer) { c.answer(m, a) }}
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

// maxRestarts is how often an upload lets itself be sent elsewhere in the archive, as
// happens when two clients upload the same one.
const maxRestarts = 100

// Upload sends an archive and returns when it is stored and in the log. It goes on where
// an earlier try was cut off, and keeps several pieces on their way. Other bytes than the
// head promises are ErrDigest. progress, if not nil, is told how many bytes are on the
// state server's disk.
func (c *Conn) Upload(ctx context.Context, head wire.PieceHead, r io.ReadSeeker, progress func(stored int64)) error {
	if progress == nil {
		progress = func(int64) {}
	}
	err := errMoved
	for restarts := 0; errors.Is(err, errMoved) && restarts < maxRestarts; restarts++ {
		u := upload{conn: c, head: head, r: r, hash: sha256.New(), progress: progress}
		err = u.run(ctx)
	}
	if err != nil {
		return fmt.Errorf("upload tools %s: %w", head.Tools.Version, err)
	}
	progress(head.Tools.Size)
	return nil
}

// upload is one pass over an archive.
type upload struct {
	conn     *Conn
	head     wire.PieceHead
	r        io.ReadSeeker
	hash     hash.Hash
	progress func(int64)

	inbox   string
	sub     *nats.Subscription
	ends    []int64 // where each piece that is on its way ends
	sent    int64
	resumed bool // the beginning was there before
}

func (u *upload) run(ctx context.Context) error {
	u.inbox = u.conn.nats.NewInbox()
	var err error
	if u.sub, err = u.conn.nats.SubscribeSync(u.inbox); err != nil {
		return translate(err)
	}
	defer func() { _ = u.sub.Unsubscribe() }()
	done, err := u.begin(ctx)
	for err == nil && !done {
		if u.sent < u.head.Tools.Size && len(u.ends) < UploadWindow {
			err = u.send()
			continue
		}
		done, err = u.hear(ctx)
	}
	return err
}

// begin asks how much is there, and hashes that much of the archive.
func (u *upload) begin(ctx context.Context) (done bool, err error) {
	if err := u.publish(0, nil); err != nil {
		return false, err
	}
	a, err := u.answer(ctx)
	if err != nil || a.Done {
		return a.Done, err
	}
	if a.Again {
		return false, errMoved
	}
	if _, err := u.r.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	u.sent, u.resumed = a.Next, a.Next > 0
	u.progress(a.Next)
	_, err = io.CopyN(u.hash, u.r, a.Next)
	return false, u.ended(err)
}

// send reads the next piece and sends it, also when the whole turns out to be other bytes
// than were promised: the state server then removes what it has of them.
func (u *upload) send() error {
	data := make([]byte, min(chunkBytes, u.head.Tools.Size-u.sent))
	if _, err := io.ReadFull(u.r, data); err != nil {
		return u.ended(err)
	}
	u.hash.Write(data)
	err := u.publish(u.sent, data)
	u.sent += int64(len(data))
	u.ends = append(u.ends, u.sent)
	return err
}

func (u *upload) ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends before the %d bytes that were expected: %w", ErrDigest, u.head.Tools.Size, err)
	}
	return err
}

func (u *upload) publish(offset int64, data []byte) error {
	u.head.Offset = offset
	text, err := json.Marshal(u.head)
	if err != nil {
		return err
	}
	m := nats.NewMsg(names.SubjectUpload + u.head.Tools.SHA256)
	m.Reply, m.Data = u.inbox, data
	m.Header.Set(headerPiece, string(text))
	return translate(u.conn.nats.PublishMsg(m))
}

// hear takes the answer to the oldest piece that is on its way.
func (u *upload) hear(ctx context.Context) (done bool, err error) {
	a, err := u.answer(ctx)
	if err != nil || a.Done {
		return a.Done, err
	}
	end := u.ends[0]
	u.ends = u.ends[1:]
	if a.Again || a.Next != end {
		return false, errMoved
	}
	u.progress(a.Next)
	return false, nil
}

// Times that a client waits for an answer: the first comes after the state server has
// read what it has, the last after it has checked the whole.
const (
	answerTimeout = 2 * time.Minute
	answerLook    = time.Second
)

// answer waits for the next answer, and gives up at once when the connection is lost:
// what was on its way then is lost, too.
func (u *upload) answer(ctx context.Context) (wire.PieceAnswer, error) {
	var a wire.PieceAnswer
	m, err := u.next(ctx)
	if err != nil {
		return a, err
	}
	if m.Header.Get("Status") == "503" && len(m.Data) == 0 {
		return a, ErrNoStateServer
	}
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, u.refused(a)
	}
	return a, nil
}

// refused judges a refusal. If the bytes that were sent are the right ones, the beginning
// that an earlier upload had left was not, and is gone now.
func (u *upload) refused(a wire.PieceAnswer) error {
	got := hex.EncodeToString(u.hash.Sum(nil))
	switch {
	case a.Bad:
		return fmt.Errorf("%w: %s", ErrRefused, a.Error)
	case !a.Again || u.sent < u.head.Tools.Size:
		return errors.New("the state server refuses: " + a.Error)
	case got != u.head.Tools.SHA256:
		return fmt.Errorf("%w: expected sha256 %s, found %s; nothing was stored", ErrDigest, u.head.Tools.SHA256, got)
	case u.resumed:
		return errMoved
	}
	return fmt.Errorf("%w on their way: the state server refuses: %s", ErrDigest, a.Error)
}

func (u *upload) next(ctx context.Context) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	for {
		m, err := u.look(ctx)
		switch {
		case err == nil:
			return m, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.Is(err, context.DeadlineExceeded):
			return nil, translate(err)
		case !u.conn.Connected():
			return nil, errors.New("the connection was lost")
		}
	}
}

func (u *upload) look(ctx context.Context) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLook)
	defer cancel()
	return u.sub.NextMsgWithContext(ctx)
}
