package statesrv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/streams"
)

// inspection makes the check that every archive passes on its way into the store. The content of
// an archive is checked whoever sends or signs it.
func inspection(t tools.Tools) func() io.WriteCloser {
	return func() io.WriteCloser { return streams.Inspect(t.Version, t.Size) }
}

// upload is one archive that is being received. Two goroutines work on it. The first, run, takes
// the pieces in the order in which they come and hands them to the store. The second, answer, waits
// until each piece is on disk and answers its sender then, in the same order. So the next pieces
// are received while the disk still writes the last.
type upload struct {
	uploads *uploads
	tools   tools.Tools
	pieces  chan bus.Piece

	announcement *events.ToolsSyncRequested // of the archive, by the request that the newest piece names; nil: none was found yet
	in           *bus.Incoming
	unanswered   chan unanswered
	answers      sync.WaitGroup
	failed       error // why a piece is not on disk; answer writes it, so it is read only after answers.Wait
}

// unanswered is a piece whose sender is answered when it, and every piece before it, is on disk.
type unanswered struct {
	piece  bus.Piece
	stored func(context.Context) error // waits until the piece is on disk; nil: nothing of it was stored
	next   int64                       // offset of the piece that comes after it
}

// run takes pieces until the archive is stored, a piece is refused, no piece has come for
// uploadIdle, or the term ends. The pieces that are stored by then are kept, so that a later upload
// of the same archive continues behind them.
func (u *upload) run() {
	defer u.uploads.forget(u)
	idle := time.NewTimer(uploadIdle)
	defer idle.Stop()
	for {
		select {
		case p := <-u.pieces:
			idle.Reset(uploadIdle)
			if over := u.handle(p); over {
				return
			}
			continue
		case <-idle.C:
		case <-u.uploads.ctx.Done():
		}
		_ = u.awaitStored()
		u.close()
		return
	}
}

// handle receives a piece and says whether the upload is over. With the last piece the order of
// steps is: every piece is on disk, the archive becomes visible in the store, the log records it,
// the sender is answered.
func (u *upload) handle(p bus.Piece) (over bool) {
	err := u.receive(p)
	if err == nil && u.in != nil && u.in.Next() < u.tools.Size {
		return false
	}
	err = errors.Join(u.awaitStored(), err)
	switch {
	case u.in == nil:
	case err == nil:
		err = u.in.Commit(u.uploads.ctx)
	case errors.Is(err, archive.ErrArchive): // the bytes are wrong, so continuing the upload cannot help
		err = errors.Join(err, u.in.Discard(u.uploads.ctx))
	}
	u.close()
	if err == nil {
		err = u.record()
	}
	if err != nil {
		bad := errors.Is(err, archive.ErrArchive) || errors.Is(err, decide.ErrOtherBytes)
		p.Answer(wire.PieceAnswer{Error: err.Error(), Again: errors.Is(err, bus.ErrDigest), Bad: bad})
		return true
	}
	p.Answer(wire.PieceAnswer{Next: u.tools.Size, Done: true})
	return true
}

// receive stores a piece that begins where the stored pieces end. A piece with another offset is
// not stored, and its answer says which offset comes next. If the whole archive is stored already,
// u.in stays nil. The piece that completes the archive is not answered here: handle answers it when
// the archive is in the log.
func (u *upload) receive(p bus.Piece) error {
	if err := u.permit(p.Head); err != nil {
		return err
	}
	if u.in == nil {
		if there, err := u.begin(); err != nil || there {
			return err
		}
	}
	w := unanswered{piece: p}
	if len(p.Data) > 0 && p.Head.Offset == u.in.Next() {
		stored, err := u.in.Append(p.Data)
		if err != nil {
			return err
		}
		w.stored = stored
	}
	w.next = u.in.Next()
	if w.next == u.tools.Size {
		w.piece.Answer = func(wire.PieceAnswer) {} // handle answers it
	}
	u.unanswered <- w
	return nil
}

// permit checks that a piece belongs to this archive, and that an accepted request has announced the
// archive. The log is read only when a piece names another request than the piece before.
func (u *upload) permit(head wire.PieceHead) error {
	if head.Tools != u.tools {
		return fmt.Errorf("sha256 %s is being uploaded as %s, %d bytes; a piece says %s, %d bytes",
			u.tools.SHA256, u.tools.Version, u.tools.Size, head.Tools.Version, head.Tools.Size)
	}
	if u.announcement != nil && u.announcement.Request.ID == head.Request {
		return nil
	}
	asked, err := u.uploads.announced(head.Request, u.tools.Version)
	u.announcement = asked
	return err
}

// begin opens the archive in the store, behind the pieces that a former upload has left. there says
// that the whole archive is stored already. Before the first byte is received it checks what would
// stop the archive at the end: other bytes were signed for its version, or the disk has no room.
func (u *upload) begin() (there bool, err error) {
	if err := decide.Replaces(u.uploads.signed(), u.tools); err != nil {
		return false, err
	}
	store := u.uploads.store
	if there, err = store.Has(u.uploads.ctx, u.tools.SHA256); err != nil || there {
		return there, err
	}
	in, err := store.Receive(u.uploads.ctx, u.tools, inspection(u.tools))
	if err != nil {
		return false, err
	}
	if err := u.uploads.room.fits(u.tools.Size - in.Next()); err != nil {
		in.Close()
		return false, err
	}
	u.in, u.unanswered = in, make(chan unanswered, cap(u.pieces))
	u.answers.Go(u.answer)
	return false, nil
}

// answer answers the pieces in their order, each when it is on disk. After a piece that could not be
// stored it answers every later one with the same error.
func (u *upload) answer() {
	for w := range u.unanswered {
		if w.stored != nil {
			if err := w.stored(u.uploads.ctx); err != nil && u.failed == nil {
				u.failed = err
			}
		}
		a := wire.PieceAnswer{Next: w.next}
		if u.failed != nil {
			a = wire.PieceAnswer{Error: u.failed.Error()}
		}
		w.piece.Answer(a)
	}
}

// awaitStored waits until every piece is on disk and answered, and says why one is not. It ends the
// goroutine of answer.
func (u *upload) awaitStored() error {
	if u.unanswered == nil {
		return nil
	}
	close(u.unanswered)
	u.answers.Wait()
	u.unanswered = nil
	return u.failed
}

// close lets go of the archive in the store. Its pieces are kept.
func (u *upload) close() {
	if u.in != nil {
		u.in.Close()
		u.in = nil
	}
}

// record puts into the log that a complete archive is stored, with what the request said of its
// source.
func (u *upload) record() error {
	stored := events.ToolsStored{Tools: u.tools, Source: u.announcement.Source, SignedBy: u.announcement.SignedBy, Unsigned: u.announcement.Unsigned}
	return u.uploads.writer.Do(u.uploads.ctx, func(at decide.At) (decide.Decision, error) {
		return decide.Stored(at, u.uploads.signed(), stored, u.announcement.Request.ID)
	})
}
