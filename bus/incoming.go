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
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/jujube-project/jujube/events/tools"
)

// Incoming is an archive on its way into the object store. Its chunks lie, from the
// first one on, where the finished object will have them, under a name made from the
// digest: a later try finds them, on any state server, and goes on behind the last.
// Nobody sees an object before its description, which is written last, after the whole
// was hashed and checked. One goroutine at a time may use it.
type Incoming struct {
	store  *ToolStore
	what   string // for a person
	tools  tools.Tools
	check  io.WriteCloser // is shown every byte, in order
	hash   hash.Hash
	next   int64  // bytes hashed, and stored or on their way
	chunks uint32 // messages of them
	last   uint64 // sequence of the newest that is stored
}

// ErrBusy: that archive is being stored by somebody else at this moment.
var ErrBusy = errors.New("it is being stored at this moment")

// headerOffset says where in the archive a chunk belongs.
const headerOffset = "Jujube-Offset"

// storedTimeout is how long the store may take to acknowledge a chunk.
const storedTimeout = time.Minute

// Receive begins to store an archive, or goes on where an earlier try stopped: newCheck
// makes what is shown every byte from the first on, and whose Close has the last word
// before the object becomes visible. End it with Commit, Discard or Close. Only a state
// server may call it.
func (s *ToolStore) Receive(ctx context.Context, t tools.Tools, newCheck func() io.WriteCloser) (*Incoming, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("store tools: %w", err)
	}
	return s.receive(ctx, "tools "+t.Version.String(), t, newCheck)
}

func (s *ToolStore) receive(ctx context.Context, what string, t tools.Tools, newCheck func() io.WriteCloser) (*Incoming, error) {
	if !s.begin(t.SHA256) {
		return nil, fmt.Errorf("store %s: %w", what, ErrBusy)
	}
	in := &Incoming{store: s, what: what, tools: t}
	err := in.resume(ctx, newCheck)
	if errors.Is(err, errPieces) { // what is there cannot be continued
		if err = in.purge(ctx); err == nil {
			err = in.resume(ctx, newCheck)
		}
	}
	if err != nil {
		in.Close()
		return nil, fmt.Errorf("store %s: %w", what, err)
	}
	return in, nil
}

func chunkSubject(nuid string) string { return names.SubjectChunks + nuid }

func (in *Incoming) subject() string { return chunkSubject(in.tools.SHA256) }

// errPieces: the chunks that are stored are not the beginning of the archive.
var errPieces = errors.New("its chunks do not follow each other")

// resume reads what is stored.
func (in *Incoming) resume(ctx context.Context, newCheck func() io.WriteCloser) error {
	in.closeCheck()
	in.check, in.hash, in.next, in.chunks, in.last = newCheck(), sha256.New(), 0, 0, 0
	for {
		before := in.last
		query := getQuery{Seq: in.last + 1, Subject: in.subject(), Batch: 1024, MaxBytes: fetchBytes}
		for m, err := range in.store.conn.getBatch(ctx, names.StreamTools, query) {
			if err != nil {
				return err
			}
			size := min(chunkBytes, in.tools.Size-in.next)
			if m.header.Get(headerOffset) != strconv.FormatInt(in.next, 10) || int64(len(m.data)) != size {
				return errPieces
			}
			_ = in.take(m.data) // Append or Commit says it
			in.last = m.seq
		}
		if in.last == before {
			return nil
		}
	}
}

// take counts a chunk in and shows it to the check, which may say at once that the
// archive is bad, and says it again at the end.
func (in *Incoming) take(chunk []byte) error {
	in.hash.Write(chunk)
	in.next += int64(len(chunk))
	in.chunks++
	_, err := in.check.Write(chunk)
	return err
}

// Next is how many bytes are stored or on their way.
func (in *Incoming) Next() int64 { return in.next }

// Append sends the bytes from Next on to the store and does not wait. They must end on
// the edge of a chunk or of the archive. stored waits until they are on disk; it must be
// called once for every Append, in their order; another goroutine may. The store keeps
// data until then. What the check has against the bytes is returned at once.
func (in *Incoming) Append(data []byte) (stored func(context.Context) error, err error) {
	left := in.tools.Size - in.next
	if n := int64(len(data)); n > left || (n < left && n%chunkBytes != 0) {
		return nil, fmt.Errorf("store %s: %d bytes at %d of %d end neither a chunk of %d nor the archive", in.what, n, in.next, in.tools.Size, chunkBytes)
	}
	var sent []jetstream.PubAckFuture
	for len(data) > 0 {
		chunk := data[:min(chunkBytes, len(data))]
		data = data[len(chunk):]
		m := nats.NewMsg(in.subject())
		m.Data = chunk
		m.Header.Set(headerOffset, strconv.FormatInt(in.next, 10))
		// A chunk that is sent again would come behind its successors.
		ack, err := in.store.conn.js.PublishMsgAsync(m, jetstream.WithRetryAttempts(0))
		if err != nil {
			return nil, fmt.Errorf("store %s: %w", in.what, translate(err))
		}
		sent = append(sent, ack)
		if err := in.take(chunk); err != nil {
			return nil, fmt.Errorf("store %s: %w", in.what, err)
		}
	}
	return func(ctx context.Context) error { return in.wait(ctx, sent) }, nil
}

func (in *Incoming) wait(ctx context.Context, sent []jetstream.PubAckFuture) error {
	ctx, cancel := context.WithTimeout(ctx, storedTimeout)
	defer cancel()
	for _, ack := range sent {
		var err error
		select {
		case a := <-ack.Ok():
			if a.Sequence <= in.last {
				err = errPieces
			}
			in.last = a.Sequence
		case err = <-ack.Err():
			err = noSpace(translate(err))
		case <-ctx.Done():
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("store %s: %w", in.what, err)
		}
	}
	return nil
}

// noSpace names what it means that the store did not take a chunk, as no other limit
// applies to chunks.
func noSpace(err error) error {
	if errors.Is(err, ErrExists) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}

// Commit makes the archive visible, after everything appended is on disk, and ends it. It
// returns ErrDigest, or what the check found, when the bytes are not the right ones; then
// nothing is visible or left. After another error the chunks are kept for a later try.
func (in *Incoming) Commit(ctx context.Context) error {
	defer in.Close()
	err := in.verdict()
	if err == nil {
		err = in.whole(ctx)
	}
	if err != nil {
		err = errors.Join(err, in.purge(context.WithoutCancel(ctx)))
	} else {
		err = in.describe(ctx)
	}
	if err != nil {
		return fmt.Errorf("store %s: %w", in.what, err)
	}
	return nil
}

func (in *Incoming) verdict() error {
	check := in.check
	in.check = nil
	bad := check.Close()
	if got := hex.EncodeToString(in.hash.Sum(nil)); in.next != in.tools.Size || got != in.tools.SHA256 {
		return fmt.Errorf("%w: expected %d bytes with sha256 %s, found %d bytes with %s", ErrDigest, in.tools.Size, in.tools.SHA256, in.next, got)
	}
	return bad
}

// whole makes sure that the store holds the chunks that were hashed, in their order, and
// no other: their sequences rose, so it is enough to count them.
func (in *Incoming) whole(ctx context.Context) error {
	counts, err := in.store.subjects(ctx, in.subject())
	if err == nil && counts[in.subject()] != uint64(in.chunks) {
		err = fmt.Errorf("%w: expected %d, found %d; somebody else stored it at the same time; try again", errPieces, in.chunks, counts[in.subject()])
	}
	return err
}

// describe writes the object's description. Source: NATS ADR-20.
func (in *Incoming) describe(ctx context.Context) error {
	info := jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{
			Name: in.tools.SHA256, Description: in.what, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkBytes},
		},
		Bucket: names.BucketTools, NUID: in.tools.SHA256, Size: uint64(in.tools.Size), Chunks: in.chunks,
		Digest: "SHA-256=" + base64.URLEncoding.EncodeToString(in.hash.Sum(nil)),
	}
	body, err := json.Marshal(info)
	if err != nil {
		return err
	}
	m := nats.NewMsg(describedBy(in.tools.SHA256))
	m.Data = body
	m.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
	_, err = in.store.conn.js.PublishMsg(ctx, m)
	return noSpace(translate(err))
}

// Discard removes what is stored and ends it.
func (in *Incoming) Discard(ctx context.Context) error {
	defer in.Close()
	return in.purge(ctx)
}

func (in *Incoming) purge(ctx context.Context) error {
	return in.store.purge(ctx, chunkSubject(in.tools.SHA256))
}

// Close ends it and leaves what is stored to a later try. It is idempotent.
func (in *Incoming) Close() {
	in.closeCheck()
	if in.store != nil {
		in.store.end(in.tools.SHA256)
		in.store = nil
	}
}

func (in *Incoming) closeCheck() {
	if in.check != nil {
		_ = in.check.Close()
		in.check = nil
	}
}
