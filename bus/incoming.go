package bus

import (
	"context"
	"crypto/sha256"
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

// Incoming is an archive on its way into the object store. Its chunks are stored, from the
// first one on, on the subject where the whole object has them, which is made from the
// digest. A later attempt finds them there, on any state server, and goes on behind the last
// one. Nobody sees the object before its description is stored, and that is stored last, when
// the whole was hashed and checked.
//
// Only one goroutine at a time may use it. The functions that Append returns may be called by
// another one, while the first goes on.
type Incoming struct {
	store  *ToolStore
	what   string // what it is, for a person
	tools  tools.Tools
	check  io.WriteCloser // is shown every byte, in order; nil after its Close
	hash   hash.Hash
	next   int64  // bytes of it that are hashed, and are stored or on their way
	chunks uint32 // in how many chunks
	last   uint64 // sequence of the newest chunk that is stored; the goroutine that waits uses it
}

// ErrBusy: somebody else is storing that archive through the same ToolStore.
var ErrBusy = errors.New("somebody else is storing it at this moment")

// headerOffset says where in the archive a chunk begins, in bytes. It tells chunks that follow
// each other from those that two state servers stored at the same time.
const headerOffset = "Jujube-Offset"

// storedTimeout bounds the wait until NATS acknowledges what one Append sent.
const storedTimeout = time.Minute

// Receive begins to store an archive, or goes on where an earlier attempt stopped. newCheck
// makes the check, which is shown every byte from the first one on, also those that are
// stored already, and whose Close decides before the object becomes visible. The caller ends
// it with Commit, Discard or Close. Only a state server may call it.
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
	if errors.Is(err, errPieces) { // what is stored cannot be continued: begin anew
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

func (in *Incoming) subject() string { return chunkSubject(in.tools.SHA256) }

// errPieces: the stored chunks are not the beginning of the archive, one behind the other.
var errPieces = errors.New("its chunks do not follow each other")

// resume hashes and checks the chunks that are stored already.
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
			_ = in.take(m.data) // Append or Commit returns what the check has against it
			in.last = m.seq
		}
		if in.last == before {
			return nil
		}
	}
}

// take hashes a chunk and shows it to the check. A check that returns an error here returns
// it from Close, too.
func (in *Incoming) take(chunk []byte) error {
	in.hash.Write(chunk)
	in.next += int64(len(chunk))
	in.chunks++
	_, err := in.check.Write(chunk)
	return err
}

// Next is how many bytes of the archive are stored or on their way.
func (in *Incoming) Next() int64 { return in.next }

// Append sends the bytes that follow Next to NATS and does not wait. They must end where a
// chunk or the archive ends. stored waits until they are on disk; it must be called once for
// every Append, in their order, and data must not change before it returns. What the check
// has against the bytes is returned by Append itself.
func (in *Incoming) Append(data []byte) (stored func(context.Context) error, err error) {
	left := in.tools.Size - in.next
	if n := int64(len(data)); n > left || (n < left && n%chunkBytes != 0) {
		return nil, fmt.Errorf("store %s: %d bytes from byte %d on end neither a chunk of %d bytes nor the archive of %d", in.what, n, in.next, chunkBytes,
			in.tools.Size)
	}
	var sent []jetstream.PubAckFuture
	for len(data) > 0 {
		chunk := data[:min(chunkBytes, len(data))]
		data = data[len(chunk):]
		m := nats.NewMsg(in.subject())
		m.Data = chunk
		m.Header.Set(headerOffset, strconv.FormatInt(in.next, 10))
		// No retries: a chunk that is sent again would be stored behind its successors.
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

// wait waits for the acknowledgements of some chunks, in their order. Their sequences must
// rise: whole relies on it.
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

// Discard removes what is stored of the archive, and ends its way.
func (in *Incoming) Discard(ctx context.Context) error {
	defer in.Close()
	return in.purge(ctx)
}

func (in *Incoming) purge(ctx context.Context) error {
	return in.store.purge(ctx, chunkSubject(in.tools.SHA256))
}

// Close ends the way of the archive and leaves what is stored to a later attempt. It is
// idempotent.
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
