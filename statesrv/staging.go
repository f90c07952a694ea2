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

// Bounds on staging. Together they bound the memory that staged bundles use.
const (
	maxStaged     = 2       // bundles that are staged at a time
	maxStageBytes = 8 << 20 // of one bundle
)

// staging holds bundles of signed metadata in memory: while their pieces arrive, and then until
// a request publishes them. When a bundle more than maxStaged arrives, the oldest is dropped, and
// its sender begins again. Nothing of it survives the term.
type staging struct {
	mu      sync.Mutex      // guards bundles and what they hold: each question is answered in a goroutine of its own
	bundles []*stagedBundle // oldest first
}

type stagedBundle struct {
	object events.Object
	data   []byte
}

// answerStage adds a piece to its bundle, and answers with the offset of the next piece. It
// checks first that the sender may bring metadata, so that nobody else fills the memory.
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
	case !mayPublish(who):
		return fmt.Errorf("%w: only operators with the role %s or %s may bring metadata", bus.ErrDenied, events.RoleRelease, events.RoleAdmin)
	}
	return bus.Verify(p.Key, wire.StageStatement(s.cfg.Environment, p.Bundle.SHA256), p.Signature)
}

func mayPublish(o events.Operator) bool { return o.Somewhere(events.RoleRelease) }

// add appends a piece to its bundle, and gives the offset at which the next piece must begin. A
// piece with another offset is not added: the sender learns from next where to go on. When the
// last piece has come, the digest of the whole bundle must be the announced one; otherwise the
// bundle is dropped and the error is bus.ErrDigest.
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
		b = &stagedBundle{object: p.Bundle}
		s.bundles = append(s.bundles, b)
		if len(s.bundles) > maxStaged {
			s.bundles = slices.Delete(s.bundles, 0, 1)
		}
	}
	if p.Offset != int64(len(b.data)) {
		return int64(len(b.data)), nil
	}
	if int64(len(b.data)+len(p.Data)) > p.Bundle.Size {
		s.forget(b)
		return 0, fmt.Errorf("%w: it is longer than the %d bytes that were announced", bus.ErrDigest, p.Bundle.Size)
	}
	b.data = append(b.data, p.Data...)
	if int64(len(b.data)) == p.Bundle.Size && !b.whole() {
		s.forget(b)
		return 0, bus.ErrDigest
	}
	return int64(len(b.data)), nil
}

// claim gives the bytes of a complete bundle and drops it, so that nobody claims it twice.
func (s *staging) claim(o events.Object) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.find(o)
	if b == nil || !b.whole() {
		return nil, false
	}
	s.forget(b)
	return b.data, true
}

// find gives the bundle of an object; nil: no piece of it has come. The caller holds mu.
func (s *staging) find(o events.Object) *stagedBundle {
	for _, b := range s.bundles {
		if b.object == o {
			return b
		}
	}
	return nil
}

// forget drops a bundle. The caller holds mu.
func (s *staging) forget(b *stagedBundle) {
	s.bundles = slices.DeleteFunc(s.bundles, func(o *stagedBundle) bool { return o == b })
}

// whole says whether every byte has come and the digest is the announced one.
func (b *stagedBundle) whole() bool {
	sum := sha256.Sum256(b.data)
	return int64(len(b.data)) == b.object.Size && hex.EncodeToString(sum[:]) == b.object.SHA256
}
