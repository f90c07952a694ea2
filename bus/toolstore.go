package bus

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/nats-io/nats.go/jetstream"
)

// ToolStore keeps archives of tools in the object store, each under its digest.
type ToolStore struct {
	conn *Conn
	put  sync.Mutex // one Put at a time keeps an object's chunks side by side
}

// Tools gives access to the object store of tools.
func (c *Conn) Tools() *ToolStore { return &ToolStore{conn: c} }

// chunkBytes is the size of a chunk: fair to others on a server and fast (measured).
const chunkBytes = 256 << 10

// ErrDigest: the bytes are not those that the digest or the size promised.
var ErrDigest = errors.New("the bytes are not what was promised")

// Put stores the archive that r gives, under t.SHA256. The bytes are hashed on their way
// in; when they are not t's, it returns ErrDigest and nothing is visible. Storing what is
// there already reads nothing. Only a state server may call it.
func (s *ToolStore) Put(ctx context.Context, t tools.Tools, r io.Reader) error {
	if err := t.Validate(); err != nil {
		return fmt.Errorf("store tools: %w", err)
	}
	s.put.Lock()
	defer s.put.Unlock()
	if there, err := s.Has(ctx, t.SHA256); err != nil || there {
		return err
	}
	store, err := s.conn.js.ObjectStore(ctx, bucketTools)
	if err != nil {
		return fmt.Errorf("store tools %s: %w", t.Version, translate(err))
	}
	meta := jetstream.ObjectMeta{
		Name: t.SHA256, Description: t.Version.String(), Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkBytes},
	}
	checked := &checkedReader{r: io.LimitReader(r, t.Size+1), want: t, hash: sha256.New()}
	if _, err := store.Put(ctx, meta, checked); err != nil {
		return fmt.Errorf("store tools %s: %w", t.Version, errors.Join(checked.err, translate(err)))
	}
	return nil
}

// checkedReader fails at the end, instead of ending, when the bytes were not the right ones.
type checkedReader struct {
	r    io.Reader
	want tools.Tools
	hash hash.Hash
	n    int64
	err  error
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.hash.Write(p[:n])
	c.n += int64(n)
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if got := hex.EncodeToString(c.hash.Sum(nil)); c.n != c.want.Size || got != c.want.SHA256 {
		c.err = fmt.Errorf("%w: tools %s: expected %d bytes with sha256 %s, found %d bytes with %s",
			ErrDigest, c.want.Version, c.want.Size, c.want.SHA256, c.n, got)
		return n, c.err
	}
	return n, io.EOF
}

// Has says whether a complete object with that digest is there.
func (s *ToolStore) Has(ctx context.Context, sha256 string) (bool, error) {
	_, _, err := s.info(ctx, sha256)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// objectInfo is what NATS keeps of an object. Source: NATS ADR-20.
type objectInfo struct {
	NUID    string `json:"nuid"`
	Size    int64  `json:"size"`
	Chunks  uint64 `json:"chunks"`
	Deleted bool   `json:"deleted"`
	Options struct {
		ChunkSize int64 `json:"max_chunk_size"`
	} `json:"options"`
}

// info reads the object's description, which NATS stores behind its last chunk, and the
// sequence of that description.
func (s *ToolStore) info(ctx context.Context, sha256 string) (objectInfo, uint64, error) {
	var info objectInfo
	name := base64.URLEncoding.EncodeToString([]byte(sha256))
	m, err := s.conn.getLast(ctx, streamTools, "$O."+bucketTools+".M."+name)
	if err != nil {
		return info, 0, err
	}
	if err := json.Unmarshal(m.data, &info); err != nil {
		return info, 0, fmt.Errorf("read the description of object %s: %w", sha256, err)
	}
	if info.Deleted {
		return info, 0, fmt.Errorf("read object %s: %w", sha256, ErrNotFound)
	}
	return info, m.seq, nil
}

// fetchBytes is how much of an object is on its way at a time.
const fetchBytes = 512 << 10

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
	f := &fetch{store: s, subject: "$O." + bucketTools + ".C." + info.NUID, w: w, left: info.Size - offset}
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

// errMoved: the chunk is not where it was expected, so it is looked for from the start.
var errMoved = errors.New("the chunk lies elsewhere")

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
		for m, err := range f.store.conn.getBatch(ctx, streamTools, query) {
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
