package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jujube-project/jujube/bus/internal/names"
)

// Sweep removes beginnings of archives that nobody completed: those whose newest chunk is
// older than before, and of the others all but the newest keep. It returns the digests of
// those that it removed. Whole archives stay, and so does what is being stored through this
// ToolStore. Only a state server may call it.
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

// drop removes the chunks of one archive, unless it is whole by now or is being stored. It
// reserves the digest first, so that nobody begins to store the archive meanwhile.
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

// part is the beginning of an archive: chunks without a description.
type part struct {
	name   string    // digest
	newest time.Time // when its newest chunk was stored
}

// parts are all of them, the newest first.
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
		m, err := s.conn.getLast(ctx, names.StreamTools, subject)
		if errors.Is(err, ErrNotFound) {
			continue // somebody has removed it meanwhile
		}
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{strings.TrimPrefix(subject, chunkSubject("")), m.time})
	}
	slices.SortFunc(parts, func(a, b part) int { return b.newest.Compare(a.newest) })
	return parts, nil
}
