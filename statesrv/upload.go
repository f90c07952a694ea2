package statesrv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/tools/archive"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/statesrv/decide"
	"github.com/jujube-project/jujube/streams"
)

// inspection makes what every archive passes on its way into the store: nobody is
// trusted for what an archive holds.
func inspection(t tools.Tools) func() io.WriteCloser {
	return func() io.WriteCloser { return streams.Inspect(t.Version, t.Size) }
}

// upload is one archive that is being received. Its pieces are handled one after another
// and are answered, in the same order, when they are on disk.
type upload struct {
	all    *uploads
	tools  tools.Tools
	pieces chan bus.Piece

	asked   *events.ToolsSyncRequested // the last one that was found to announce the archive
	in      *bus.Incoming
	waiting chan waiting
	answers sync.WaitGroup
	failed  error // why a piece is not on disk; valid after answers.Wait
}

// waiting is a piece that is answered once those before it, and itself, are on disk.
type waiting struct {
	piece  bus.Piece
	stored func(context.Context) error // nil: there was nothing to store
	next   int64
}

// run takes pieces until the archive is stored, something is wrong, or nobody sends any.
// What is stored by then stays for a later upload.
func (u *upload) run() {
	defer u.all.forget(u)
	idle := time.NewTimer(uploadIdle)
	defer idle.Stop()
	for {
		select {
		case p := <-u.pieces:
			idle.Reset(uploadIdle)
			if over := u.take(p); over {
				return
			}
			continue
		case <-idle.C:
		case <-u.all.ctx.Done():
		}
		_ = u.settle()
		u.close()
		return
	}
}

// take handles a piece and says whether the upload is over.
func (u *upload) take(p bus.Piece) (over bool) {
	err := u.grow(p)
	if err == nil && u.in != nil && u.in.Next() < u.tools.Size {
		return false
	}
	err = errors.Join(u.settle(), err)
	switch {
	case u.in == nil:
	case err == nil:
		err = u.in.Commit(u.all.ctx)
	case errors.Is(err, archive.ErrArchive): // going on with it could never end well
		err = errors.Join(err, u.in.Discard(u.all.ctx))
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

// grow stores a piece that continues what is there. Another one is not stored: its answer
// says where to go on. If the whole archive is stored already, u.in stays nil. The piece that
// completes the archive is not answered here: take answers it when the archive is in the log.
func (u *upload) grow(p bus.Piece) error {
	if err := u.permit(p.Head); err != nil {
		return err
	}
	if u.in == nil {
		if there, err := u.begin(); err != nil || there {
			return err
		}
	}
	w := waiting{piece: p}
	if len(p.Data) > 0 && p.Head.Offset == u.in.Next() {
		stored, err := u.in.Append(p.Data)
		if err != nil {
			return err
		}
		w.stored = stored
	}
	w.next = u.in.Next()
	if w.next == u.tools.Size {
		w.piece.Answer = func(a wire.PieceAnswer) {} // take answers when all is done
	}
	u.waiting <- w
	return nil
}

// permit checks that a piece belongs to this archive and that it was announced.
func (u *upload) permit(head wire.PieceHead) error {
	if head.Tools != u.tools {
		return fmt.Errorf("sha256 %s is being uploaded as %s, %d bytes; a piece says %s, %d bytes",
			u.tools.SHA256, u.tools.Version, u.tools.Size, head.Tools.Version, head.Tools.Size)
	}
	if u.asked != nil && u.asked.Request.ID == head.Request {
		return nil
	}
	asked, err := u.all.announced(head.Request, u.tools.Version)
	u.asked = asked
	return err
}

// begin finds what is there of the archive. What could not be stored in the end is not
// received at all.
func (u *upload) begin() (there bool, err error) {
	err = u.all.writer.Look(u.all.ctx, func(s *projections.State) { err = decide.Replaces(s, u.tools) })
	if err != nil {
		return false, err
	}
	store := u.all.store
	if there, err = store.Has(u.all.ctx, u.tools.SHA256); err != nil || there {
		return there, err
	}
	in, err := store.Receive(u.all.ctx, u.tools, inspection(u.tools))
	if err != nil {
		return false, err
	}
	if err := u.all.room(u.tools.Size - in.Next()); err != nil {
		in.Close()
		return false, err
	}
	u.in, u.waiting = in, make(chan waiting, cap(u.pieces))
	u.answers.Go(u.answer)
	return false, nil
}

// answer tells senders what is on disk, in the order in which they sent it.
func (u *upload) answer() {
	for w := range u.waiting {
		if w.stored != nil {
			if err := w.stored(u.all.ctx); err != nil && u.failed == nil {
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

// settle waits until everything that was appended is on disk.
func (u *upload) settle() error {
	if u.waiting == nil {
		return nil
	}
	close(u.waiting)
	u.answers.Wait()
	u.waiting = nil
	return u.failed
}

func (u *upload) close() {
	if u.in != nil {
		u.in.Close()
		u.in = nil
	}
}

// record puts a complete archive into the log.
func (u *upload) record() error {
	stored := events.ToolsStored{Tools: u.tools, Source: u.asked.Source, SignedBy: u.asked.SignedBy, Unsigned: u.asked.Unsigned}
	return u.all.writer.Do(u.all.ctx, func(at decide.At) (decide.Decision, error) { return decide.Stored(at, stored, u.asked.Request.ID) })
}

// reserveBytes must stay free on the disk of an embedded NATS: once it is full, NATS
// takes no event of any kind.
const reserveBytes = 256 << 20

// room says whether size more bytes fit into the store.
func (us *uploads) room(size int64) error {
	if us.storeDir == "" {
		return nil
	}
	var st unix.Statfs_t
	if err := unix.Statfs(us.storeDir, &st); err != nil {
		return fmt.Errorf("look for room in the store: %w", err)
	}
	if free := int64(st.Bavail) * st.Bsize; free < size+reserveBytes {
		return fmt.Errorf("%w: the archive needs %d more bytes, and %d must stay free for events; %s has %d",
			bus.ErrNoSpace, size, int64(reserveBytes), us.storeDir, free)
	}
	return nil
}
