package bus

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/tools"
)

// ObjectOf is the name and the size under which the store keeps data.
func ObjectOf(data []byte) events.Object {
	sum := sha256.Sum256(data)
	return events.Object{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}
}

// metadataName is the description of every object that is no archive: it tells metadata from
// archives.
const metadataName = "signed metadata"

// PutMetadata stores signed metadata beside the archives, under its digest. If it is stored
// already, nothing changes. Only a state server may call it.
func (s *ToolStore) PutMetadata(ctx context.Context, data []byte) (events.Object, error) {
	o := ObjectOf(data)
	if err := o.Validate(); err != nil {
		return o, fmt.Errorf("store %s: %w", metadataName, err)
	}
	if there, err := s.Has(ctx, o.SHA256); err != nil || there {
		return o, err
	}
	in, err := s.receive(ctx, metadataName, tools.Tools{SHA256: o.SHA256, Size: o.Size}, uninspected)
	if err != nil {
		return o, err
	}
	if err = in.fill(ctx, bytes.NewReader(data)); err != nil {
		return o, errors.Join(fmt.Errorf("store %s: %w", metadataName, err), in.Discard(context.WithoutCancel(ctx)))
	}
	return o, in.Commit(ctx)
}

// uninspected is a check that refuses nothing. Metadata is verified before it is stored.
func uninspected() io.WriteCloser { return noCheck{io.Discard} }

type noCheck struct{ io.Writer }

func (noCheck) Close() error { return nil }

// GetMetadata reads metadata whole. It returns ErrDigest when the bytes are not those that o
// names. State servers and agents may call it.
func (s *ToolStore) GetMetadata(ctx context.Context, o events.Object) ([]byte, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", o.SHA256, err)
	}
	w := &capped{left: o.Size}
	if _, err := s.Fetch(ctx, o.SHA256, 0, w); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(w.Bytes()); hex.EncodeToString(sum[:]) != o.SHA256 {
		return nil, fmt.Errorf("fetch %s: %w", o.SHA256, ErrDigest)
	}
	return w.Bytes(), nil
}

// capped refuses more bytes than were promised.
type capped struct {
	bytes.Buffer
	left int64
}

func (c *capped) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		return 0, fmt.Errorf("%w: there are more of them", ErrDigest)
	}
	return c.Buffer.Write(p)
}

// KeepMetadata removes all metadata but the objects with these digests. Only a state server
// may call it.
func (s *ToolStore) KeepMetadata(ctx context.Context, digests ...string) error {
	objects, err := s.objects(ctx)
	for _, o := range objects {
		if o.Description != metadataName || slices.Contains(digests, o.Name) {
			continue
		}
		err = errors.Join(err, s.remove(ctx, o.Name))
	}
	if err != nil {
		return fmt.Errorf("remove old metadata: %w", err)
	}
	return nil
}
