package bus

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// fetchBytes is how much of an object one Direct Get asks for.
const fetchBytes = 512 << 10

// errMoved: the chunk does not lie at the sequence where it was expected.
var errMoved = errors.New("the chunk lies elsewhere")

// Fetch writes an object to w, from the byte offset on, and returns how many bytes it wrote. A
// caller resumes a fetch that broke by calling it again with a larger offset. It needs no
// permission but two Direct Gets, for the description and for chunks, so an agent may call it.
//
// Nothing that it writes is verified, not even the size: the caller hashes the bytes, and
// takes no more of them than signed metadata promises.
//
// It finds the chunk that holds offset without reading those before it. NATS stores the
// chunks of an object and then its description; if nothing else was stored in between, the
// chunk lies as many messages before the description as chunks follow it. If another message
// lies there, or none, it looks for the chunks from the start of the stream.
func (s *ToolStore) Fetch(ctx context.Context, sha256 string, offset int64, w io.Writer) (int64, error) {
	info, described, err := s.info(ctx, sha256)
	if err != nil {
		return 0, err
	}
	if offset < 0 || offset > info.Size {
		return 0, fmt.Errorf("fetch %s from byte %d: it has %d bytes", sha256, offset, info.Size)
	}
	f := &fetch{store: s, subject: chunkSubject(info.NUID), w: w, left: info.Size - offset}
	if size := info.Options.ChunkSize; size > 0 && offset >= size && described > info.Chunks {
		f.next = described - info.Chunks + uint64(offset/size)
		f.first, f.skip = f.next, offset%size
		err = f.run(ctx)
		if !errors.Is(err, errMoved) {
			return f.written, wrapFetch(sha256, err)
		}
	}
	f.first, f.next, f.skip = 0, 1, offset
	err = f.run(ctx)
	return f.written, wrapFetch(sha256, err)
}

func wrapFetch(sha256 string, err error) error {
	if err != nil {
		return fmt.Errorf("fetch tools %s: %w", sha256, err)
	}
	return nil
}

// fetch is one pass over the chunks of an object.
type fetch struct {
	store   *ToolStore
	subject string
	w       io.Writer
	first   uint64 // where the first chunk must lie; 0: anywhere
	next    uint64 // sequence from which to read on
	skip    int64  // bytes of chunks to leave out before the first that is written
	left    int64  // bytes to write
	written int64
}

// run writes until nothing is left. A Direct Get that gives no chunk means that the object has
// fewer bytes than its description says.
func (f *fetch) run(ctx context.Context) error {
	for f.left > 0 {
		before := f.next
		query := getQuery{Seq: f.next, Subject: f.subject, Batch: 1024, MaxBytes: fetchBytes}
		for m, err := range f.store.conn.getBatch(ctx, names.StreamTools, query) {
			if err != nil {
				return err
			}
			if f.first > 0 && m.seq != f.first {
				return errMoved
			}
			f.first = 0
			f.next = m.seq + 1
			if err := f.write(m.data); err != nil {
				return err
			}
		}
		if f.next == before {
			return fmt.Errorf("%w: the object ends %d bytes early", ErrDigest, f.left)
		}
	}
	return nil
}

func (f *fetch) write(chunk []byte) error {
	skip := min(f.skip, int64(len(chunk)))
	f.skip -= skip
	chunk = chunk[skip:]
	chunk = chunk[:min(int64(len(chunk)), f.left)]
	n, err := f.w.Write(chunk)
	f.written += int64(n)
	f.left -= int64(n)
	return err
}
