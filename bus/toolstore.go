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

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/tools"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/nats-io/nats.go/jetstream"
) // ToolStore keeps archives of tools in the object store, each under its digest.

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
	stream, err := s.conn.js.Stream(ctx, names.StreamTools)
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
	stream, err := s.conn.js.Stream(ctx, names.StreamTools)
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
	Name        string `json:"name"`
	Description string `json:"description"`
	NUID        string `json:"nuid"`
	Size        int64  `json:"size"`
	Chunks      uint64 `json:"chunks"`
	Deleted     bool   `json:"deleted"`
	Options     struct {
		ChunkSize int64 `json:"max_chunk_size"`
	} `json:"options"`
}

// describedBy is the subject of an object's description.
func describedBy(sha256 string) string {
	return names.SubjectDescribed + base64.URLEncoding.EncodeToString([]byte(sha256))
}

// info reads the object's description, which NATS stores behind its last chunk, and the
// sequence of that description.
func (s *ToolStore) info(ctx context.Context, sha256 string) (objectInfo, uint64, error) {
	m, err := s.conn.getLast(ctx, names.StreamTools, describedBy(sha256))
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

// errMoved: the chunk is not where it was expected, so it is looked for from the start.
var errMoved = errors.New("the chunk lies elsewhere")

// objects are the whole objects.
func (s *ToolStore) objects(ctx context.Context) ([]objectInfo, error) {
	described, err := s.subjects(ctx, names.SubjectDescribed+"*")
	if err != nil {
		return nil, err
	}
	var list []objectInfo
	for subject := range described {
		m, err := s.conn.getLast(ctx, names.StreamTools, subject)
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

// List gives all whole archives, by name.
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
