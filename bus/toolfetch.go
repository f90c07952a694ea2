package bus

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// Fetch writes the object from byte offset on to w and returns how many bytes it wrote.
// A fetch that broke is resumed by calling it again with a larger offset. It needs no
// right beyond reading descriptions and chunks. What it writes is not verified: the
// caller hashes it, and bounds it by the size it was promised.
func (s *ToolStore) Fetch(ctx context.Context, sha256 string, offset int64, w io.Writer) (int64, error) {
	info, described, err := s.info(ctx, sha256)
	if err != nil {
		return 0, err
	}
	if offset < 0 || offset > info.Size {
		return 0, fmt.Errorf("fetch %s from byte %d: it has %d", sha256, offset, info.Size)
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

type fetch struct {
	store   *ToolStore
	subject string
	w       io.Writer
	first   uint64 // sequence where the first chunk must lie; 0: anywhere
	next    uint64
	skip    int64 // bytes to leave out before writing
	left    int64 // bytes to write
	written int64
}

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
