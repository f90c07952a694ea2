package statesrv

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"github.com/jujube-project/jujube/bus"
	"github.com/jujube-project/jujube/events"
	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
)

// Bounds on staging; together they bound its memory.
const (
	maxStaged     = 2
	maxStageBytes = 8 << 20 // of one bundle
)

// staging holds bundles while they come in, and until they are published. The oldest goes
// when there are more than maxStaged.
type staging struct {
	mu   sync.Mutex
	list []*staged
}

type staged struct {
	object events.Object
	data   []byte
}

// answerStage takes a piece from an operator with the role release or admin.
func (s *queries) answerStage(_ context.Context, p wire.StagePiece) (staged wire.Staged, err error) {
	if err = s.mayStage(p); err == nil {
		staged.Next, err = s.staging.add(p)
	}
	return staged, err
}

func (s *queries) mayStage(p wire.StagePiece) error {
	var who events.Operator
	err := s.writer.Look(s.ctx, func(s *projections.State) { who, _ = s.Trust.Roster.Operator(p.Key) })
	switch {
	case err != nil:
		return err
	case !publishes(who):
		return fmt.Errorf("%w: only operators with the role %s or %s may bring metadata", bus.ErrDenied, events.RoleRelease, events.RoleAdmin)
	}
	return bus.Verify(p.Key, wire.StageStatement(s.cfg.Environment, p.Bundle.SHA256), p.Signature)
}

func publishes(o events.Operator) bool { return o.Somewhere(events.RoleRelease) }

// add takes the next piece and says where to go on.
func (s *staging) add(p wire.StagePiece) (next int64, err error) {
	if err := p.Bundle.Validate(); err != nil {
		return 0, err
	}
	if p.Bundle.Size > maxStageBytes || len(p.Data) > wire.StageBytes {
		return 0, fmt.Errorf("a bundle of %d bytes, a piece of %d: limits are %d and %d", p.Bundle.Size, len(p.Data), maxStageBytes, wire.StageBytes)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.find(p.Bundle)
	if b == nil {
		b = &staged{object: p.Bundle}
		s.list = append(s.list, b)
		if len(s.list) > maxStaged {
			s.list = slices.Delete(s.list, 0, 1)
		}
	}
	if p.Offset != int64(len(b.data)) {
		return int64(len(b.data)), nil
	}
	if int64(len(b.data)+len(p.Data)) > p.Bundle.Size {
		s.forget(b)
		return 0, fmt.Errorf("%w: it is longer than the %d bytes that were said", bus.ErrDigest, p.Bundle.Size)
	}
	b.data = append(b.data, p.Data...)
	if int64(len(b.data)) == p.Bundle.Size && !b.whole() {
		s.forget(b)
		return 0, bus.ErrDigest
	}
	return int64(len(b.data)), nil
}

// take gives a bundle that is whole, once.
func (s *staging) take(o events.Object) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.find(o)
	if b == nil || !b.whole() {
		return nil, false
	}
	s.forget(b)
	return b.data, true
}

func (s *staging) find(o events.Object) *staged {
	for _, b := range s.list {
		if b.object == o {
			return b
		}
	}
	return nil
}

func (s *staging) forget(b *staged) {
	s.list = slices.DeleteFunc(s.list, func(o *staged) bool { return o == b })
}

func (b *staged) whole() bool {
	sum := sha256.Sum256(b.data)
	return int64(len(b.data)) == b.object.Size && hex.EncodeToString(sum[:]) == b.object.SHA256
}
