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

// ObjectOf names bytes as the store will.
func ObjectOf(data []byte) events.Object {
	sum := sha256.Sum256(data)
	return events.Object{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(data))}
}

// metadataName describes what is no archive, and is not listed as one.
const metadataName = "signed metadata"

// PutMetadata stores signed metadata beside the archives and under its digest. Storing it
// again changes nothing. Only a state server may call it.
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

// uninspected passes everything: what it means was verified before it is stored.
func uninspected() io.WriteCloser { return nothing{io.Discard} }

type nothing struct{ io.Writer }

func (nothing) Close() error { return nil }

// GetMetadata reads it whole. Other bytes than the digest says are ErrDigest.
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

// capped takes no more than was promised.
type capped struct {
	bytes.Buffer
	left int64
}

func (c *capped) Write(p []byte) (int, error) {
	if c.left -= int64(len(p)); c.left < 0 {
		return 0, fmt.Errorf("%w: it is longer", ErrDigest)
	}
	return c.Buffer.Write(p)
}

// KeepMetadata removes all metadata but the objects with these digests, descriptions first.
// Only a state server may call it.
func (s *ToolStore) KeepMetadata(ctx context.Context, digests ...string) error {
	objects, err := s.objects(ctx)
	for _, o := range objects {
		if o.Description != metadataName || slices.Contains(digests, o.Name) {
			continue
		}
		err = errors.Join(err, s.purge(ctx, describedBy(o.Name)), s.purge(ctx, chunkSubject(o.Name)))
	}
	if err != nil {
		return fmt.Errorf("remove old metadata: %w", err)
	}
	return nil
}
