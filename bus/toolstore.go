package bus

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/tools"
	"github.com/nats-io/nats.go/jetstream"
)

// ToolStore keeps archives of tools in the object store, each under its digest.
type ToolStore struct {
	conn *Conn
	mu   sync.Mutex
	busy map[string]bool // digests that are being stored
}

// Tools gives access to the object store of tools. A state server uses one ToolStore for
// everything it stores.
func (c *Conn) Tools() *ToolStore { return &ToolStore{conn: c, busy: map[string]bool{}} }

// chunkBytes is the size of a chunk: fair to others on a server and fast (measured).
const chunkBytes = 256 << 10

// ErrDigest: the bytes are not those that the digest or the size promised.
var ErrDigest = errors.New("the bytes are not what was promised")

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

// Put stores the archive that r gives, under t.SHA256. The bytes are hashed, and shown to
// what newCheck makes, on their way in; when they are not t's it returns ErrDigest, when
// the check does not pass its error, and nothing is visible or left. Storing what is
// there already reads nothing. Only a state server may call it.
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

// fill appends what r gives, from its start, and is not there already.
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

// longer reads on where an archive must end.
func longer(r io.Reader) error {
	var one [1]byte
	switch n, err := io.ReadFull(r, one[:]); {
	case n > 0:
		return fmt.Errorf("%w: more bytes come than that", ErrDigest)
	case errors.Is(err, io.EOF):
		return nil
	default:
		return err
	}
}

// short gives an archive that ends early its name.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: it ends before: %w", ErrDigest, err)
	}
	return err
}

// purge removes every message of a subject.
func (s *ToolStore) purge(ctx context.Context, subject string) error {
	stream, err := s.conn.js.Stream(ctx, streamTools)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject(subject))
	}
	if err != nil {
		return fmt.Errorf("remove %s: %w", subject, translate(err))
	}
	return nil
}

// subjects counts the messages of each subject that a filter matches.
func (s *ToolStore) subjects(ctx context.Context, filter string) (map[string]uint64, error) {
	stream, err := s.conn.js.Stream(ctx, streamTools)
	if err != nil {
		return nil, translate(err)
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(filter))
	if err != nil {
		return nil, translate(err)
	}
	return info.State.Subjects, nil
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
	Name    string `json:"name"`
	NUID    string `json:"nuid"`
	Size    int64  `json:"size"`
	Chunks  uint64 `json:"chunks"`
	Deleted bool   `json:"deleted"`
	Options struct {
		ChunkSize int64 `json:"max_chunk_size"`
	} `json:"options"`
}

// describedBy is the subject of an object's description.
func describedBy(sha256 string) string {
	return "$O." + bucketTools + ".M." + base64.URLEncoding.EncodeToString([]byte(sha256))
}

// info reads the object's description, which NATS stores behind its last chunk, and the
// sequence of that description.
func (s *ToolStore) info(ctx context.Context, sha256 string) (objectInfo, uint64, error) {
	m, err := s.conn.getLast(ctx, streamTools, describedBy(sha256))
	if err != nil {
		return objectInfo{}, 0, err
	}
	info, err := parseInfo(m)
	if err == nil && info.Deleted {
		err = fmt.Errorf("read object %s: %w", sha256, ErrNotFound)
	}
	return info, m.seq, err
}

func parseInfo(m stored) (objectInfo, error) {
	var info objectInfo
	if err := json.Unmarshal(m.data, &info); err != nil {
		return info, fmt.Errorf("read the description of an object, %s: %w", m.subject, err)
	}
	return info, nil
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

// Sweep removes beginnings of archives: those whose newest chunk is older than before,
// and all but the newest keep of the others. It says which, by digest or by the name
// that their chunks have. What is being stored, or is whole, is left alone.
func (s *ToolStore) Sweep(ctx context.Context, before time.Time, keep int) (removed []string, err error) {
	parts, err := s.parts(ctx)
	for i, p := range parts {
		if err != nil {
			break
		}
		if i < keep && !p.newest.Before(before) {
			continue
		}
		var gone bool
		if gone, err = s.drop(ctx, p.name); gone {
			removed = append(removed, p.name)
		}
	}
	if err != nil {
		return removed, fmt.Errorf("sweep the store of tools: %w", err)
	}
	return removed, nil
}

// drop removes the chunks of one archive, unless it has become whole or is being stored.
func (s *ToolStore) drop(ctx context.Context, name string) (gone bool, err error) {
	if !s.begin(name) {
		return false, nil
	}
	defer s.end(name)
	if whole, err := s.Has(ctx, name); err != nil || whole {
		return false, err
	}
	err = s.purge(ctx, chunkSubject(name))
	return err == nil, err
}

// part is the beginning of an archive.
type part struct {
	name   string
	newest time.Time
}

// parts are the chunks that belong to no object, the newest first.
func (s *ToolStore) parts(ctx context.Context) ([]part, error) {
	chunks, err := s.subjects(ctx, chunkSubject("*"))
	if err != nil {
		return nil, err
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return nil, err
	}
	for _, o := range objects {
		delete(chunks, chunkSubject(o.NUID))
	}
	var parts []part
	for subject := range chunks {
		m, err := s.conn.getLast(ctx, streamTools, subject)
		if errors.Is(err, ErrNotFound) {
			continue // discarded meanwhile
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{strings.TrimPrefix(subject, chunkSubject("")), m.time})
	}
	slices.SortFunc(parts, func(a, b part) int { return b.newest.Compare(a.newest) })
	return parts, nil
}

// objects are the whole objects.
func (s *ToolStore) objects(ctx context.Context) ([]objectInfo, error) {
	described, err := s.subjects(ctx, "$O."+bucketTools+".M.*")
	if err != nil {
		return nil, err
	}
	var list []objectInfo
	for subject := range described {
		m, err := s.conn.getLast(ctx, streamTools, subject)
		if err != nil {
			return nil, err
		}
		info, err := parseInfo(m)
		if err != nil {
			return nil, err
		}
		if !info.Deleted {
			list = append(list, info)
		}
	}
	slices.SortFunc(list, func(a, b objectInfo) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Object is a whole object: its name, which is the digest it was stored under, and how
// large it says it is.
type Object struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size_bytes"`
}

// List gives all whole objects, by name.
func (s *ToolStore) List(ctx context.Context) ([]Object, error) {
	infos, err := s.objects(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the store of tools: %w", err)
	}
	list := make([]Object, 0, len(infos))
	for _, info := range infos {
		list = append(list, Object{SHA256: info.Name, Size: info.Size})
	}
	return list, nil
}
