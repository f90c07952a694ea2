package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
)

// ToolStore keeps archives of tools in the object store, each under its digest. Its methods
// may be called concurrently.
type ToolStore struct {
	conn *Conn
	mu   sync.Mutex
	busy map[string]bool // digests that are being stored through this ToolStore
}

// Tools is the object store of tools, as this connection may use it. A state server uses one
// ToolStore for all that it stores: two of them do not know what the other one is storing.
func (c *Conn) Tools() *ToolStore { return &ToolStore{conn: c, busy: map[string]bool{}} }

// chunkBytes is the size of a chunk of an object: fast, and other users of the same server do
// not wait long behind one (measured).
const chunkBytes = 256 << 10

// ErrDigest: the bytes are not those that the digest or the size promised.
var ErrDigest = errors.New("the bytes are not what was promised")

// begin reserves a digest, so that nobody else stores or removes it until end is called. It
// returns false if somebody has it.
func (s *ToolStore) begin(sha256 string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[sha256] {
		return false
	}
	s.busy[sha256] = true
	return true
}

func (s *ToolStore) end(sha256 string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, sha256)
}

// maxAhead is how many chunks Put sends before the first of them must be on disk.
const maxAhead = 16

// Put stores the archive that r gives, under t.SHA256. The bytes are hashed on their way in,
// and shown to what newCheck makes. If they are not t's, Put returns ErrDigest; if the check
// refuses them, its error. In both cases nothing is visible and nothing is left. If the
// archive is stored already, r is not read. Only a state server may call it.
func (s *ToolStore) Put(ctx context.Context, t tools.Tools, r io.Reader, newCheck func() io.WriteCloser) error {
	if there, err := s.Has(ctx, t.SHA256); err != nil || there {
		return err
	}
	in, err := s.Receive(ctx, t, newCheck)
	if err != nil {
		return err
	}
	if err = in.fill(ctx, r); err != nil {
		return errors.Join(fmt.Errorf("store tools %s, %d bytes: %w", t.Version, t.Size, short(err)), in.Discard(context.WithoutCancel(ctx)))
	}
	return in.Commit(ctx)
}

// fill appends what r gives behind what is stored already. r gives the archive from its first
// byte on. Also after an error it waits for all chunks that are on their way: whoever
// discards the archive then must not do so while one of them arrives.
func (in *Incoming) fill(ctx context.Context, r io.Reader) error {
	var ahead []func(context.Context) error
	_, err := io.CopyN(io.Discard, r, in.next)
	for err == nil && in.next < in.tools.Size {
		chunk := make([]byte, min(chunkBytes, in.tools.Size-in.next))
		if _, err = io.ReadFull(r, chunk); err != nil {
			break
		}
		var stored func(context.Context) error
		if stored, err = in.Append(chunk); err == nil {
			ahead = append(ahead, stored)
		}
		if len(ahead) > maxAhead {
			err = errors.Join(err, ahead[0](ctx))
			ahead = ahead[1:]
		}
	}
	if err == nil {
		err = longer(r)
	}
	for _, stored := range ahead {
		err = errors.Join(err, stored(ctx))
	}
	return err
}

// longer returns ErrDigest if r gives one more byte where the archive must end.
func longer(r io.Reader) error {
	var one [1]byte
	switch n, err := io.ReadFull(r, one[:]); {
	case n > 0:
		return fmt.Errorf("%w: there are more of them", ErrDigest)
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// short makes ErrDigest of the end of an archive that is too short.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: they end too early: %w", ErrDigest, err)
	}
	return err
}

// Has says whether a whole object with that digest is stored.
func (s *ToolStore) Has(ctx context.Context, sha256 string) (bool, error) {
	_, _, err := s.info(ctx, sha256)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// List gives all whole archives, in the order of their names. Only a state server may call it.
func (s *ToolStore) List(ctx context.Context) ([]wire.Object, error) {
	infos, err := s.objects(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the store of tools: %w", err)
	}
	list := make([]wire.Object, 0, len(infos))
	for _, info := range infos {
		if info.Description != metadataName {
			list = append(list, wire.Object{SHA256: info.Name, Size: info.Size})
		}
	}
	return list, nil
}
