package statesrv

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/jujube-project/jujube/events/wire"
	"github.com/jujube-project/jujube/projections"
	"github.com/jujube-project/jujube/projections/status"
	"github.com/jujube-project/jujube/statesrv/writer"
)

// shown is a copy of the committed state at one position of the log. Everybody who asks at that position
// shares it, and nobody changes it. What is expensive is made of it once, outside of the writer's
// goroutine.
type shown struct {
	*projections.State
	status func() (wire.Raw, error)
	digest func() string
}

func show(st *projections.State) *shown {
	c := st.Clone()
	return &shown{
		State:  c,
		status: sync.OnceValues(func() (wire.Raw, error) { return json.Marshal(status.Make(c)) }),
		digest: sync.OnceValue(c.Digest),
	}
}

// shows copies the state for those who ask. The writer's goroutine makes one copy at a time, and spends no
// more than a fifth of its time with that, however many ask: those who ask while a copy is made, or
// while the writer rests from it, share the next. So an answer is never older than its question.
type shows struct {
	ctx    context.Context // of the term
	writer *writer.Writer
	spawn  func(func())

	mu     sync.Mutex
	next   *copying // that has not begun; nil: nobody waits
	busy   bool     // copies are being made
	newest *shown   // the writer's goroutine only
}

// copying is one copy, for everybody who asked before it began.
type copying struct {
	done  chan struct{} // closed when the fields below are set
	shown *shown
	err   error
}

// rest is how long the writer rests from a copy, in times of what the copy took.
const rest = 4

// now gives the state as it is now. The error is that of ctx, or writer.ErrStopped.
func (s *shows) now(ctx context.Context) (*shown, error) {
	s.mu.Lock()
	if s.next == nil {
		s.next = &copying{done: make(chan struct{})}
	}
	c := s.next
	if !s.busy {
		s.busy = true
		s.spawn(s.copyAll)
	}
	s.mu.Unlock()
	select {
	case <-c.done:
		return c.shown, c.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-s.ctx.Done():
		return nil, writer.ErrStopped
	}
}

// copyAll makes copies as long as somebody waits for one.
func (s *shows) copyAll() {
	for {
		s.mu.Lock()
		c := s.next
		if s.next = nil; c == nil {
			s.busy = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		var took time.Duration
		c.err = s.writer.Look(s.ctx, func(st *projections.State) {
			if s.newest == nil || s.newest.Seq != st.Seq {
				began := time.Now()
				s.newest = show(st)
				took = time.Since(began)
			}
			c.shown = s.newest
		})
		close(c.done)
		select {
		case <-time.After(rest * took):
		case <-s.ctx.Done():
		}
	}
}
