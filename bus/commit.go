package bus

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jujube-project/jujube/bus/internal/names"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Commit makes the archive visible and ends its way. The caller has waited for all that was
// appended. It returns ErrDigest if the bytes are not those of the archive, or what the check
// has against them; in both cases nothing is visible and nothing is left. After another
// error the chunks stay for a later attempt.
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

// verdict compares the hash, and hears the check.
func (in *Incoming) verdict() error {
	check := in.check
	in.check = nil
	bad := check.Close()
	if got := hex.EncodeToString(in.hash.Sum(nil)); in.next != in.tools.Size || got != in.tools.SHA256 {
		return fmt.Errorf("%w: expected %d bytes with sha256 %s, found %d bytes with %s", ErrDigest, in.tools.Size, in.tools.SHA256, in.next, got)
	}
	return bad
}

// whole makes sure that the stream holds the chunks that were hashed, in their order, and no
// other ones. wait has seen that their sequences rise, so it is enough to count them.
func (in *Incoming) whole(ctx context.Context) error {
	counts, err := in.store.subjects(ctx, in.subject())
	if err == nil && counts[in.subject()] != uint64(in.chunks) {
		err = fmt.Errorf("%w: expected %d of them, found %d; another state server has stored it at the same time; try again", errPieces, in.chunks,
			counts[in.subject()])
	}
	return err
}

// describe stores the object's description, in place of an earlier one (a roll-up of its
// subject). Source: NATS ADR-20.
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

// noSpace makes ErrNoSpace of NATS's "stream store failed". That code has other meanings as
// well, a message too many on a subject among them, but no such limit applies to objects.
func noSpace(err error) error {
	if errors.Is(err, ErrExists) {
		return fmt.Errorf("%w: %w", ErrNoSpace, err)
	}
	return err
}
