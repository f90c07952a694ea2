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
	"time"

	"github.com/nats-io/nats.go"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/wire"
)

// ErrRefused: the state server has inspected the archive and does not take it. Sending it
// again is of no use.
var ErrRefused = errors.New("the state server refuses the archive")

// UploadWindow is how many pieces a client sends before the first of them must be answered:
// while one is written to disk, the next ones are on their way.
const UploadWindow = 3

// maxRestarts is how often one Upload begins anew because the state server expects another
// part of the archive, as happens when two clients upload the same one.
const maxRestarts = 100

// errElsewhere: the state server expects another part of the archive than was sent.
var errElsewhere = errors.New("the state server expects another part")

// Upload sends the archive that r holds and returns when it is stored and in the log. head
// names the accepted request that announced it. It begins behind what an earlier upload has
// left on the state server. progress, if it is not nil, is told how many bytes are on the
// state server's disk.
//
// It returns ErrDigest if r holds other bytes than head.Tools says, and ErrRefused if the
// state server does not take the archive. After any other error the upload can be tried
// again.
func (c *Conn) Upload(ctx context.Context, head wire.PieceHead, r io.ReadSeeker, progress func(stored int64)) error {
	if progress == nil {
		progress = func(int64) {}
	}
	err := errElsewhere
	for restarts := 0; errors.Is(err, errElsewhere) && restarts < maxRestarts; restarts++ {
		u := upload{conn: c, head: head, r: r, hash: sha256.New(), progress: progress}
		err = u.run(ctx)
	}
	if err != nil {
		return fmt.Errorf("upload tools %s: %w", head.Tools.Version, err)
	}
	progress(head.Tools.Size)
	return nil
}

// upload is one pass over an archive, from what the state server has to its end. One goroutine
// sends and hears.
type upload struct {
	conn     *Conn
	head     wire.PieceHead
	r        io.ReadSeeker
	hash     hash.Hash // of the archive up to sent
	progress func(int64)

	inbox   string // where the answers come, in the order of the pieces
	sub     *nats.Subscription
	sent    int64   // bytes of the archive that the state server has or that are on their way
	ends    []int64 // where each piece ends that is on its way, the oldest first
	resumed bool    // the state server had a beginning of the archive before this pass
}

// run sends pieces as long as fewer than UploadWindow are on their way, and else hears the
// next answer.
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

// begin asks how much of the archive the state server has, and hashes that much of it here.
func (u *upload) begin(ctx context.Context) (done bool, err error) {
	if err := u.publish(0, nil); err != nil {
		return false, err
	}
	a, err := u.answer(ctx)
	if err != nil || a.Done {
		return a.Done, err
	}
	if a.Again {
		return false, errElsewhere
	}
	if _, err := u.r.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	u.sent, u.resumed = a.Next, a.Next > 0
	u.progress(a.Next)
	_, err = io.CopyN(u.hash, u.r, a.Next)
	return false, u.ended(err)
}

// send reads the next piece and sends it. It sends the last one even if the whole is not what
// head promised, so that the state server finds that out too and removes what it has.
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

// ended makes ErrDigest of the end of an archive that is too short.
func (u *upload) ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: the archive ends before the %d bytes that were expected: %w", ErrDigest, u.head.Tools.Size, err)
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

// hear takes the answer to the oldest piece that is on its way. If the state server does not
// go on from where that piece ended, the pieces behind it were for nothing.
func (u *upload) hear(ctx context.Context) (done bool, err error) {
	a, err := u.answer(ctx)
	if err != nil || a.Done {
		return a.Done, err
	}
	end := u.ends[0]
	u.ends = u.ends[1:]
	if a.Again || a.Next != end {
		return false, errElsewhere
	}
	u.progress(a.Next)
	return false, nil
}

// answerTimeout bounds the wait for one answer. Before the first answer the state server reads
// what it has of the archive; before the last one it checks the whole.
const answerTimeout = 2 * time.Minute

// answerLook is how often somebody who waits for an answer looks whether the connection still
// stands: NATS tells nobody that an answer was lost with it.
const answerLook = time.Second

// answer waits for the next answer.
func (u *upload) answer(ctx context.Context) (wire.PieceAnswer, error) {
	var a wire.PieceAnswer
	m, err := u.next(ctx)
	if err != nil {
		return a, err
	}
	if m.Header.Get("Status") == "503" && len(m.Data) == 0 { // from NATS: no responders
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

// refused says what a refusal means. When the state server refuses a whole archive and the
// bytes here are the right ones, one of two was wrong: the beginning that an earlier upload
// had left there, which is gone now, or what arrived of this one.
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
		return errElsewhere
	}
	return fmt.Errorf("%w: they were altered on their way: the state server refuses: %s", ErrDigest, a.Error)
}

// next waits for the next message, and returns an error when the connection is lost: what was
// on its way then is lost with it.
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
