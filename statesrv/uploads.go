package statesrv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/projections"
)

// uploads takes archives from operators, piece by piece, into incoming/. What is there
// is resumed; only a whole and verified archive reaches the object store.
type uploads struct {
	server *Server
	dir    string
	ctx    context.Context // of the server's run: uploads end with it
	mu     sync.Mutex
	locks  map[string]*sync.Mutex // one writer for each digest
}

func newUploads(ctx context.Context, s *Server) (*uploads, error) {
	u := &uploads{server: s, dir: filepath.Join(s.cfg.Dir, "incoming"), ctx: ctx, locks: map[string]*sync.Mutex{}}
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
	go func() {
		l := u.lock(p.Head.Tools.SHA256)
		l.Lock()
		defer l.Unlock()
		a, err := u.take(p)
		if err != nil {
			a = bus.PieceAnswer{Error: err.Error()}
		}
		p.Answer(a)
	}()
}

func (u *uploads) take(p bus.Piece) (bus.PieceAnswer, error) {
	t := p.Head.Tools
	if err := u.announced(p.Head); err != nil {
		return bus.PieceAnswer{}, err
	}
	there, err := u.server.cfg.Bus.Tools().Has(u.ctx, t.SHA256)
	if err != nil {
		return bus.PieceAnswer{}, err
	}
	if there {
		return u.finish(p.Head)
	}
	f, err := os.OpenFile(u.file(t), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return bus.PieceAnswer{}, err
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	switch {
	case err != nil:
		return bus.PieceAnswer{}, err
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
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return bus.PieceAnswer{}, err
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return bus.PieceAnswer{}, err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != head.Tools.SHA256 {
		return bus.PieceAnswer{}, errors.Join(
			fmt.Errorf("%w: expected sha256 %s, found %s; nothing was stored", bus.ErrDigest, head.Tools.SHA256, got), os.Remove(f.Name()))
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return bus.PieceAnswer{}, err
	}
	if err := u.server.cfg.Bus.Tools().Put(u.ctx, head.Tools, f); err != nil {
		return bus.PieceAnswer{}, err
	}
	return u.finish(head)
}

// finish records the archive and then forgets its file.
func (u *uploads) finish(head bus.PieceHead) (bus.PieceAnswer, error) {
	done := make(chan error, 1)
	err := u.server.writer.submitWait(u.ctx, change{
		decide: func(d *draft) error {
			return decideStored(d, head.Tools, head.Source, "", head.Request)
		},
		done: func(_ uint64, err error) { done <- err },
	})
	if err == nil {
		err = <-done
	}
	if err == nil {
		err = os.RemoveAll(u.file(head.Tools))
	}
	return bus.PieceAnswer{Next: head.Tools.Size, Done: err == nil}, err
}

// announced checks that an accepted sync-tools request speaks of the archive.
func (u *uploads) announced(head bus.PieceHead) error {
	ok := make(chan bool, 1)
	err := u.server.writer.submitWait(u.ctx, change{view: func(s *projections.State) {
		o, known := s.Requests[head.Request]
		ok <- known && o.Outcome == projections.OutcomeAccepted && o.Action == "sync-tools"
	}})
	if err != nil {
		return err
	}
	if !<-ok {
		return fmt.Errorf("no accepted sync-tools request %q announced these tools", head.Request)
	}
	return nil
}
