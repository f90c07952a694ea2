package statesrv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/projections"
)

// uploads takes archives from operators, piece by piece, into incoming/. What is there
// is resumed; only a whole and verified archive reaches the object store.
type uploads struct {
	term  *term
	dir   string
	slots chan struct{} // bounds the pieces that are handled at a time
	mu    sync.Mutex
	locks map[string]*sync.Mutex // one writer for each digest
}

// maxPieces is how many pieces are handled at a time; further ones wait in NATS.
const maxPieces = 16

func newUploads(t *term) (*uploads, error) {
	u := &uploads{
		term: t, dir: filepath.Join(t.cfg.Dir, "incoming"),
		slots: make(chan struct{}, maxPieces), locks: map[string]*sync.Mutex{},
	}
	if err := os.MkdirAll(u.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of incoming tools: %w", err)
	}
	return u, nil
}

func (u *uploads) lock(digest string) *sync.Mutex {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.locks[digest] == nil {
		u.locks[digest] = &sync.Mutex{}
	}
	return u.locks[digest]
}

// onPiece handles a piece on a goroutine of its own, so that one slow disk write does
// not hold up the others' archives.
func (u *uploads) onPiece(p bus.Piece) {
	select {
	case u.slots <- struct{}{}:
	case <-u.term.ctx.Done():
		return
	}
	u.term.spawn(func() {
		defer func() { <-u.slots }()
		a, err := u.take(p)
		if err != nil {
			a = bus.PieceAnswer{Error: err.Error()}
		}
		p.Answer(a)
	})
}

func (u *uploads) take(p bus.Piece) (bus.PieceAnswer, error) {
	if err := u.announced(p.Head); err != nil {
		return bus.PieceAnswer{}, err
	}
	l := u.lock(p.Head.Tools.SHA256)
	l.Lock()
	defer l.Unlock()
	there, err := u.term.tools.store.Has(u.term.ctx, p.Head.Tools.SHA256)
	if err != nil {
		return bus.PieceAnswer{}, err
	}
	if there {
		return u.finish(p.Head)
	}
	f, err := os.OpenFile(u.file(p.Head.Tools), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return bus.PieceAnswer{}, err
	}
	defer func() { _ = f.Close() }()
	return u.grow(p, f)
}

// grow appends a piece to what is there. One that does not continue it is not written:
// the answer says where to go on.
func (u *uploads) grow(p bus.Piece, f *os.File) (bus.PieceAnswer, error) {
	t := p.Head.Tools
	size, err := f.Seek(0, io.SeekEnd)
	switch {
	case err != nil:
		return bus.PieceAnswer{}, err
	case size > t.Size: // announced with another size before, and one of them is wrong
		return bus.PieceAnswer{Next: 0}, f.Truncate(0)
	case size == t.Size: // cut off between the last piece and the store
		return u.store(p.Head, f)
	case len(p.Data) == 0 || p.Head.Offset != size:
		return bus.PieceAnswer{Next: size}, nil
	case size+int64(len(p.Data)) > t.Size:
		return bus.PieceAnswer{}, fmt.Errorf("more than the %d bytes that were announced", t.Size)
	}
	if _, err := f.Write(p.Data); err != nil {
		return bus.PieceAnswer{}, errors.Join(err, f.Truncate(size))
	}
	if size += int64(len(p.Data)); size < t.Size {
		return bus.PieceAnswer{Next: size}, nil
	}
	return u.store(p.Head, f)
}

func (u *uploads) file(t tools.Tools) string { return filepath.Join(u.dir, t.SHA256+".part") }

// store moves a whole archive into the object store. One with other bytes than its
// digest says is thrown away: resuming it could never end well.
func (u *uploads) store(head bus.PieceHead, f *os.File) (bus.PieceAnswer, error) {
	got, err := digestOf(f)
	if err != nil {
		return bus.PieceAnswer{}, err
	}
	if got != head.Tools.SHA256 {
		return bus.PieceAnswer{}, errors.Join(
			fmt.Errorf("%w: expected sha256 %s, found %s; nothing was stored", bus.ErrDigest, head.Tools.SHA256, got), os.Remove(f.Name()))
	}
	if err := u.term.tools.store.Put(u.term.ctx, head.Tools, f); err != nil {
		return bus.PieceAnswer{}, err
	}
	return u.finish(head)
}

// digestOf hashes a file from its start and leaves it there.
func digestOf(f *os.File) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	_, err := f.Seek(0, io.SeekStart)
	return hex.EncodeToString(h.Sum(nil)), err
}

// finish records the archive and then forgets its file.
func (u *uploads) finish(head bus.PieceHead) (bus.PieceAnswer, error) {
	err := u.term.writer.do(u.term.ctx, func(d *draft) error {
		return decideStored(d, events.ToolsStored{Tools: head.Tools, Source: head.Source}, head.Request)
	})
	if err == nil {
		err = os.RemoveAll(u.file(head.Tools))
	}
	return bus.PieceAnswer{Next: head.Tools.Size, Done: err == nil}, err
}

// announced checks that an accepted sync-tools request announced an upload.
func (u *uploads) announced(head bus.PieceHead) error {
	ok := false
	err := u.term.writer.look(u.term.ctx, func(s *projections.State) {
		o, known := s.Requests[head.Request]
		ok = known && o.Outcome == projections.OutcomeAccepted && o.Action == events.ActionSyncTools
	})
	if err == nil && !ok {
		err = fmt.Errorf("no accepted sync-tools request %q announced these tools", head.Request)
	}
	return err
}
